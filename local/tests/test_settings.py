"""The local stack looks for programs where `make build` puts them."""

import os
import subprocess
from pathlib import Path

from local_stack.settings import REPOSITORY, Settings

BUILT = {"CARGO_TARGET_DIR", "LAMBDA_DIRECTORY", "BEDROCK_SIMULATOR_BIN"}


def test_defaults_are_those_of_the_makefile(monkeypatch):
    for name in BUILT:
        monkeypatch.delenv(name, raising=False)
    command = ["make", "--eval", "paths: ; @echo $(LAMBDA_DIRECTORY) $(BEDROCK_SIMULATOR_BIN)", "paths"]
    # `make` may be running this test, and its flags would change what the inner one prints.
    environment = {name: value for name, value in os.environ.items() if name not in BUILT | {"MAKEFLAGS", "MAKELEVEL"}}
    printed = subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True)
    settings = Settings.from_environment()
    assert [settings.lambda_directory, settings.simulator_binary] == [Path(path) for path in printed.stdout.split()]
