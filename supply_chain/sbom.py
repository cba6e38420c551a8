#!/usr/bin/env python3
"""Writes the software bill of materials: all dependencies in the lock files, as CycloneDX 1.6.

    python supply_chain/sbom.py --out sbom.cdx.json

Needs no network where the crates are in Cargo's cache. The same lock files give the same bytes, if the same Python packages are
installed: their licences are read from these. Components of scope `required` are in the functions or in the command; those of
scope `excluded` only build, deploy or test them.
"""

import argparse
import base64
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parents[1]
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
# Packages of the workspace whose dependencies reach users: the functions, and the command.
SHIPPED = re.compile(r"/lambdas/|/crates/cli\b")


def component(kind: str, name: str, version: str, *, shipped: bool, licence: str | None, hashes: list[dict]) -> dict:
    namespaced = quote(name, safe="/")
    purl = f"pkg:{kind}/{namespaced}@{quote(version, safe='')}"
    found: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    found["scope"] = "required" if shipped else "excluded"
    if licence:
        found["licenses"] = [{"expression": licence}]
    if hashes:
        found["hashes"] = hashes
    return found


def cargo_metadata(manifest: Path, platform: str) -> dict:
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1", f"--filter-platform={platform}"]
    done = subprocess.run([*command, f"--manifest-path={manifest}"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{manifest}: cargo could not list the crates; fetch them first: cargo fetch --locked")
    return json.loads(done.stdout)


def shipped_crates(found: dict) -> set[str]:
    """Returns the ids of all crates that the functions and the command are built from."""
    normal = {
        node["id"]: [d["pkg"] for d in node["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"])]
        for node in found["resolve"]["nodes"]
    }
    waiting = [member for member in found["workspace_members"] if SHIPPED.search(member)]
    reached: set[str] = set()
    while waiting:
        crate = waiting.pop()
        if crate not in reached:
            reached.add(crate)
            waiting.extend(normal[crate])
    return reached


def crates(manifest: Path) -> dict[str, dict]:
    """Returns the crates that a workspace depends on, by their package URLs."""
    lock = tomllib.loads((manifest.parent / "Cargo.lock").read_text())
    checksums = {(crate["name"], crate["version"]): crate.get("checksum") for crate in lock["package"]}
    components: dict[str, dict] = {}
    for platform in PLATFORMS:
        found = cargo_metadata(manifest, platform)
        used = {node["id"] for node in found["resolve"]["nodes"]}
        shipped = shipped_crates(found)
        for crate in found["packages"]:
            # Our own crates have no source.
            if crate["id"] not in used or crate["source"] is None:
                continue
            checksum = checksums[crate["name"], crate["version"]]
            new = component(
                "cargo",
                crate["name"],
                crate["version"],
                shipped=crate["id"] in shipped,
                licence=(crate["license"] or "").replace("/", " OR ") or None,
                hashes=[{"alg": "SHA-256", "content": checksum}] if checksum else [],
            )
            merge(components, new)
    return components


def node_packages(lock_file: Path) -> dict[str, dict]:
    """Returns the packages of a package-lock.json. They synthesize and deploy the stack; none is in a function."""
    components: dict[str, dict] = {}
    for path, package in json.loads(lock_file.read_text())["packages"].items():
        if not path or package.get("link"):
            continue
        name = package.get("name") or path.rpartition("node_modules/")[2]
        hashes = [
            {"alg": f"SHA-{algorithm.removeprefix('sha')}", "content": base64.b64decode(digest).hex()}
            for algorithm, _, digest in (text.partition("-") for text in package.get("integrity", "").split())
        ]
        new = component("npm", name, package["version"], shipped=False, licence=package.get("license"), hashes=hashes)
        if package.get("inBundle"):
            # Part of the file of another package, whose hash is that of all of it.
            bundle = path.rpartition("/node_modules/")[0].removeprefix("node_modules/")
            new["properties"] = [{"name": "bundled-in", "value": bundle}]
        merge(components, new)
    return components


def python_packages(lock_file: Path) -> dict[str, dict]:
    """Returns the packages of a file of requirements with hashes, of which a package has one per file."""
    components: dict[str, dict] = {}
    text = lock_file.read_text().replace("\\\n", " ")
    for name, version, rest in re.findall(r"^([\w.-]+)==([^\s;]+)(.*)$", text, re.MULTILINE):
        hashes = [{"alg": "SHA-256", "content": digest} for digest in re.findall(r"--hash=sha256:([0-9a-f]{64})", rest)]
        merge(components, component("pypi", name, version, shipped=False, licence=licence_of(name), hashes=hashes))
    return components


def licence_of(package: str) -> str | None:
    """Returns the licence of an installed package, if it names one in the standard form."""
    try:
        found = metadata.metadata(package).json.get("license_expression")
        return found if isinstance(found, str) else None
    except metadata.PackageNotFoundError:
        return None


def merge(components: dict[str, dict], new: dict) -> None:
    known = components.setdefault(new["bom-ref"], new)
    if new["scope"] == "required":
        known["scope"] = "required"


def bill_of_materials() -> dict:
    components: dict[str, dict] = {}
    for part in (
        crates(REPOSITORY / "Cargo.toml"),
        crates(REPOSITORY / "fuzz" / "Cargo.toml"),
        node_packages(REPOSITORY / "infra" / "package-lock.json"),
        python_packages(REPOSITORY / "local" / "requirements.lock"),
    ):
        for new in part.values():
            merge(components, new)
    workspace = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]
    subject = {
        "type": "application",
        "bom-ref": "bedrock-batch",
        "name": "bedrock-batch",
        "version": workspace["version"],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**subject, "licenses": [{"expression": workspace["license"]}]}},
        "components": [components[name] for name in sorted(components)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the software bill of materials as CycloneDX JSON.")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    out = parser.parse_args().out
    bill = bill_of_materials()
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    partial.write_text(json.dumps(bill, indent=2, ensure_ascii=True) + "\n")
    partial.replace(out)
    shipped = sum(component["scope"] == "required" for component in bill["components"])
    print(f"{out}: {len(bill['components'])} components, {shipped} of them in the functions or the command")


if __name__ == "__main__":
    main()
