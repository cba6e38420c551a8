"""Brings a local stack of the tests' own up and down, through the same commands that users have."""

import os
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
# Photos and the answers that Bedrock gave for them, where they are present.
SAMPLES = Path(os.environ.get("BEDROCK_BATCH_SAMPLES") or "(unset)") / "clothing"
STATE = Path(os.environ.get("E2E_STATE_DIR") or REPOSITORY / ".local" / "e2e").resolve()


def target_directory() -> Path:
    """The target directory of cargo, as in the Makefile."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("CARGO_TARGET_DIR") or cache / "bedrock-batch" / "target")


def command_line_program() -> Path:
    return Path(os.environ.get("BEDROCK_BATCH") or target_directory() / "debug" / "bedrock-batch")


def settings() -> dict[str, str]:
    """The environment of local/up and local/down. Variables that the Makefile exports override the defaults here."""
    defaults = {
        "CARGO_TARGET_DIR": str(target_directory()),
        "LAMBDA_DIRECTORY": str(REPOSITORY / ".local" / "lambda"),
        "BEDROCK_SIMULATOR_BIN": str(target_directory() / "debug" / "bedrock-simulator"),
    }
    own = {
        "LOCAL_STATE_DIR": str(STATE),
        "BEDROCK_SIMULATOR_STEP_MS": "50",
        **backend(),
        "SFN_WAIT_SCALE": "0.01",
        "RECORD_REQUESTS": "1",
    }
    return {**defaults, **os.environ, **own}


# Models that the inputs of the Python samples name. Bedrock has ended them.
ALIVE = "anthropic.claude-3-haiku-20240307-v1:0,anthropic.claude-3-5-sonnet-20241022-v2:0"
# A model of which the account may have a few jobs only.
SCARCE_MODEL = "us.amazon.nova-micro-v1:0"
SCARCE_QUOTA = 3


def backend() -> dict[str, str]:
    """Recorded answers if there are any; all other requests get fake ones."""
    options = f"--alive {ALIVE} --job-quota {SCARCE_MODEL.removeprefix('us.')}={SCARCE_QUOTA}"
    if not SAMPLES.is_dir():
        return {"BEDROCK_SIMULATOR_BACKEND": "fake", "BEDROCK_SIMULATOR_OPTIONS": options}
    recordings = shlex.quote(str(SAMPLES.resolve()))
    return {
        "BEDROCK_SIMULATOR_BACKEND": "replay",
        "BEDROCK_SIMULATOR_OPTIONS": f"--recordings {recordings} --replay-miss fake {options}",
    }


def bring_up() -> dict[str, str]:
    """The exports of `.local/e2e/env`, once the stack is up."""
    run("up")
    lines = (STATE / "env").read_text().splitlines()
    words = (shlex.split(line.removeprefix("export ")) for line in lines)
    return dict(word.split("=", 1) for (word,) in words)


# Ends the names of resources that no role may use because they do not exist, where a test wants a request to fail.
GONE = "-gone"


def denials() -> Counter[str]:
    """The requests that were denied because the role of a function does not allow them, as they are logged, with their
    numbers."""
    with (STATE / "logs" / "ministack.log").open(errors="replace") as log:
        return Counter(line.strip() for line in log if line.startswith("DENIED "))


def missing_rights() -> list[str]:
    """The denials that no test wants."""
    return [f"{count} times {line}" for line, count in denials().items() if not line.endswith(GONE)]


def take_down() -> None:
    run("down")


def run(command: str) -> None:
    done = subprocess.run([REPOSITORY / "local" / command], env=settings(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        raise RuntimeError(f"local/{command} failed: {done.stderr.strip()}")
