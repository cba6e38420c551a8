"""The local stack's copies of names agree with the project."""

import json

from local_stack.contract import FUNCTIONS
from local_stack.deployment import INFRA, SHORT_WAITS
from local_stack.settings import REPOSITORY


def test_short_waits_are_context_keys_of_the_cdk_app():
    assert set(SHORT_WAITS) <= set(json.loads((INFRA / "cdk.json").read_text())["context"])


def test_every_function_is_deployed():
    assert sorted(FUNCTIONS) == sorted(path.parent.name for path in (REPOSITORY / "lambdas").glob("*/Cargo.toml"))
