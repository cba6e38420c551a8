"""What is built and installed is pinned by hash, checked, and listed."""

import json
import re
from pathlib import Path

import pytest

import sbom

REPOSITORY = Path(__file__).resolve().parents[1]
LOCK = (REPOSITORY / "local" / "requirements.lock").read_text()
MAKEFILE = (REPOSITORY / "Makefile").read_text()


@pytest.fixture(scope="module")
def bill() -> dict:
    return sbom.bill_of_materials()


def test_every_python_package_is_pinned_by_hash():
    named = dict(
        re.findall(r"^([\w.-]+)==(\S+)$", (REPOSITORY / "local" / "requirements.txt").read_text(), re.MULTILINE)
    )
    locked = sbom.python_packages(REPOSITORY / "local" / "requirements.lock")
    versions = {package["name"]: package["version"] for package in locked.values()}
    assert named.items() <= versions.items(), "run `make python-lock`"
    assert all(package["hashes"] for package in locked.values())
    assert "pip install --quiet --disable-pip-version-check --require-hashes -r $<" in MAKEFILE
    assert "$(VENV)/.ready: local/requirements.lock" in MAKEFILE


def test_every_package_has_a_hash(bill):
    names = {component["name"] for component in bill["components"] if component.get("hashes")}
    for component in bill["components"]:
        bundles = [found["value"] for found in component.get("properties", ())]
        assert component.get("hashes") or set(bundles) & names, component["purl"]


def test_the_lock_file_names_no_index():
    assert "://" not in LOCK and "index-url" not in LOCK


def test_the_workspace_and_the_fuzz_targets_are_both_checked():
    loops = re.findall(r"for manifest in \$\(MANIFESTS\); do(.*?)\bdone", MAKEFILE, re.DOTALL)
    for command in ("cargo fetch", "check licenses bans sources", "check advisories"):
        assert any(command in loop for loop in loops), command
    assert re.search(r"^MANIFESTS := Cargo\.toml fuzz/Cargo\.toml$", MAKEFILE, re.MULTILINE)


def test_the_bill_of_materials_lists_every_lock_file(bill):
    components = {component["bom-ref"]: component for component in bill["components"]}
    kinds = {purl.partition("/")[0] for purl in components}
    assert kinds == {"pkg:cargo", "pkg:npm", "pkg:pypi"}
    scopes = {
        component["name"]: component["scope"] for component in components.values() if "cargo" in component["purl"]
    }
    assert [scopes[name] for name in ("serde_json", "lambda_runtime", "clap")] == ["required"] * 3
    assert [scopes[name] for name in ("proptest", "axum", "libfuzzer-sys")] == ["excluded"] * 3
    licences = [component for component in components.values() if "pkg:cargo" in component["purl"]]
    assert all(component.get("licenses") for component in licences)
    assert all(
        re.fullmatch(r"[0-9a-f]{40,128}", h["content"]) for c in components.values() for h in c.get("hashes", ())
    )


def test_the_same_lock_files_give_the_same_bytes(bill):
    assert json.dumps(sbom.bill_of_materials()) == json.dumps(bill)
