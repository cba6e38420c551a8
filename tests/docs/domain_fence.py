"""Checks that the domain crate depends on nothing that does input or output, or knows AWS.

    python3 tests/docs/domain_fence.py [manifest]

`crates/domain/clippy.toml` is the other half of the fence: what the domain may not call of the standard library.
"""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# Direct dependencies. To add one, make sure that it only computes, and add its purpose to
# docs/adr/0003-dependencies.md.
ALLOWED = {
    "base64",
    "hex",
    "hmac",
    "jsonschema",
    "memchr",
    "regex",
    "serde",
    "serde_json",
    "serde_json_path",
    "sha2",
    "strsim",
    "thiserror",
    "toml",
    "unicode-normalization",
}
# Crates that may not be anywhere below it: AWS, other crates of this workspace, async runtimes, networks, processes,
# logging, and sources of time and randomness that a function could come to depend on.
DENIED = re.compile(
    r"""aws-.+ | bedrock-.+ | lambda_.+ | tokio.* | async-std | smol | mio | socket2 | hyper.* | reqwest | ureq | axum
    | rustls.* | native-tls | openssl.* | tempfile | notify | tracing.* | log4rs | env_logger | chrono-tz | rand | fastrand
    | arrow.* | parquet | csv""",
    re.VERBOSE,
)


def packages(depth: int | None, manifest: Path) -> list[str]:
    command = ["cargo", "tree", "--locked", "-p", "bedrock-batch-domain", "-e", "normal", "--prefix", "none"]
    command += ["--format", "{p}", "--manifest-path", str(manifest)]
    if depth is not None:
        command += ["--depth", str(depth)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return sorted({line.split()[0] for line in printed.splitlines() if line} - {"bedrock-batch-domain"})


def problems(manifest: Path) -> list[str]:
    direct = [f"depends on {name}, which is not in ALLOWED" for name in packages(1, manifest) if name not in ALLOWED]
    below = [f"has {name} below it" for name in packages(None, manifest) if DENIED.fullmatch(name)]
    return direct + below


if __name__ == "__main__":
    found = problems(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "Cargo.toml")
    for problem in found:
        print(f"the domain crate {problem}: see {Path(__file__).relative_to(REPOSITORY)}", file=sys.stderr)
    sys.exit(1 if found else 0)
