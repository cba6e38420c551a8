"""docs/semantics.md: each promise names tests, and each of them exists."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "docs" / "semantics.md").read_text()
NAMED = re.findall(r"`([\w/.]+\.(?:rs|py))::(\w+)`", TEXT)


def test_every_named_test_exists():
    assert len(NAMED) > 30
    for path, name in NAMED:
        source = (REPOSITORY / path).read_text()
        assert re.search(rf"\b(?:fn|def) {name}\b", source), f"{path} has no test {name}"


def test_every_promise_names_a_test():
    promises = re.findall(r"^- \*\*.*?(?=^- \*\*|^#|^Not promised|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert len(promises) > 14
    for promise in promises:
        assert "Tests: `" in promise, promise
