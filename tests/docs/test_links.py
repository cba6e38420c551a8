"""Links between pages lead somewhere, and paths that pages name are there."""

import re
from pathlib import Path

import pytest

from source_text import REPOSITORY, sources

PAGES = [source for source in sources() if source.language == "markdown"]
# Names of files that the text makes up, or that only exist once something has run.
EXAMPLES = {"prompt-templates/ticket_triage.toml", "prompt-templates/x.toml"}
ROOTS = (
    "bench/",
    "crates/",
    "docs/",
    "fuzz/",
    "infra/",
    "lambdas/",
    "local/",
    "pipeline-configs/",
    "prompt-configs/",
    "prompt-templates/",
    "tests/",
)


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (REPOSITORY / page.path).parent / path if path else REPOSITORY / page.path
        assert file.exists(), f"{page.path}: {target} leads nowhere"
        if anchor:
            assert anchor in anchors(file.read_text()), f"{page.path}: {target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_named_paths_exist(page):
    for named in re.findall(r"`([\w./-]+)(?:::\w+)?`", page.text):
        if named.startswith(ROOTS) and named not in EXAMPLES and Path(named).suffix:
            assert (REPOSITORY / named).exists(), f"{page.path} names {named}, which does not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_commands_use_files_that_exist(page):
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", page.text, re.MULTILINE | re.DOTALL):
        for named in re.findall(r"(?<![\w./$])[\w-]+/[\w./-]+", "" if language else block):
            if named.startswith(ROOTS) and f"> {named}" not in block:
                assert (REPOSITORY / named).exists(), f"{page.path}: a command uses {named}, which does not exist"
