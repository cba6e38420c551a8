"""The names that Rust shares with Python, written by `make contract`."""

import json

from .settings import REPOSITORY

CONTRACT = json.loads((REPOSITORY / "crates" / "contract" / "generated" / "contract.json").read_text())

FUNCTIONS: tuple[str, ...] = tuple(CONTRACT["functions"])
ENVIRONMENT: dict[str, str] = CONTRACT["environment"]
