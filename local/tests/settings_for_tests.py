"""Settings of a local stack in a temporary directory."""

from pathlib import Path

from local_stack.settings import Settings


def settings_in(directory: Path) -> Settings:
    settings = Settings(
        state=directory / "state",
        venv=directory / "venv",
        lambda_directory=directory / "lambda",
        simulator_binary=directory / "bedrock-simulator",
        simulator_backend="fake",
        simulator_step_ms="1",
        simulator_options=(),
        retry_scale="0.02",
        stage="",
        record_requests="0",
    )
    settings.make_directories()
    return settings
