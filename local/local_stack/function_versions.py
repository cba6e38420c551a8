"""Variables of published versions, which AWS lets no one change. Tests change those of the functions that state machines
call, to lead their requests through proxies, and state machines call versions.

The description of a request for new variables says that they are for all versions too. Without it, versions stay as they
are.
"""

import copy

from ministack.core.lambda_runtime import invalidate_worker
from ministack.services import lambda_svc

IN_ALL_VERSIONS = "in all versions"

_update_config = lambda_svc._update_config


def update_config(name: str, data: dict):
    answer = _update_config(name, data)
    function = lambda_svc._functions.get(name)
    if function is not None and data.get("Description") == IN_ALL_VERSIONS:
        for number, version in function["versions"].items():
            version["config"]["Environment"] = copy.deepcopy(function["config"].get("Environment", {}))
            invalidate_worker(name, qualifier=number)
    return answer


def let_tests_change_versions() -> None:
    lambda_svc._update_config = update_config
