"""Programs and libraries whose tests are not built, to save the time to link them, have none; each file of tests is built."""

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MANIFESTS = sorted(
    path for part in ("bench", "crates/*", "lambdas/*") for path in REPOSITORY.glob(f"{part}/Cargo.toml")
)


def manifest_id(path: Path) -> str:
    return path.parent.name


def sources_of(manifest: Path, program: dict) -> list[Path]:
    """The files of a program; beside a library, the main file alone, since the library has the others."""
    main = manifest.parent / program["path"]
    return [main] if (main.parent / "lib.rs").exists() else sorted(main.parent.rglob("*.rs"))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=manifest_id)
def test_a_program_whose_tests_are_not_built_has_none(manifest):
    programs = tomllib.loads(manifest.read_text()).get("bin", [])
    for program in (program for program in programs if not program.get("test", True)):
        sources = sources_of(manifest, program)
        assert sources
        with_tests = [str(path) for path in sources if re.search(r"#\[(cfg\(test\)|\w*::?test|test)", path.read_text())]
        assert with_tests == [], f"remove `test = false` from {manifest}"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=manifest_id)
def test_a_library_whose_documentation_is_not_tested_holds_no_code(manifest):
    library = tomllib.loads(manifest.read_text()).get("lib", {})
    if not library.get("doctest", True):
        sources = (manifest.parent / "src").rglob("*.rs")
        with_code = [str(path) for path in sources if re.search(r"^\s*//[/!]\s*```", path.read_text(), re.MULTILINE)]
        assert with_code == [], f"remove `doctest = false` from {manifest}"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=manifest_id)
def test_every_file_of_tests_is_part_of_a_program(manifest):
    package = tomllib.loads(manifest.read_text())
    if package["package"].get("autotests", True):
        return
    folder = manifest.parent / "tests"
    programs = {manifest.parent / test["path"] for test in package["test"]}
    included = {
        program.parent / (path or f"{module}.rs")
        for program in programs
        for path, module in re.findall(r'(?:#\[path = "(.*)"\]\n)?mod (\w+);', program.read_text())
    }
    files = {*folder.glob("*.rs"), *folder.glob("*/main.rs")}
    assert files and files - programs - included == set(), "name them in a program, or as one of their own"
