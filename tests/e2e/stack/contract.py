"""The names that Rust shares with Python, written by `make contract`.

The scenarios spell out keys and columns, which are promised to users: there a changed name has to be noticed.
"""

import json
import os
from pathlib import Path

GENERATED = Path(__file__).resolve().parents[3] / "crates" / "contract" / "generated" / "contract.json"
CONTRACT = json.loads(GENERATED.read_text())

# Of the stage that local/up deploys, in the region of the local stack.
STAGE = os.environ.get("LOCAL_STAGE") or ""
END_OF_NAMES = f"-{STAGE}-us-east-1" if STAGE else ""

# Description with which the local stack changes the variables of versions too (local/local_stack/function_versions.py).
IN_ALL_VERSIONS = "in all versions"

FUNCTION_NAME_PREFIX: str = CONTRACT["function_name_prefix"]
ENVIRONMENT: dict[str, str] = CONTRACT["environment"]
PREFIXES: dict[str, str] = CONTRACT["prefixes"]
PAYLOADS: dict[str, dict] = CONTRACT["payloads"]
RUN_INDEX: dict[str, str] = CONTRACT["job_table"]["run_index"]


def function_name(name: str) -> str:
    """The name of a function in the account; fails on a function that does not exist."""
    if name not in CONTRACT["functions"]:
        raise ValueError(f"`{name}` is not a function of the stack: {', '.join(CONTRACT['functions'])}")
    return FUNCTION_NAME_PREFIX + name + END_OF_NAMES
