"""Settings of the local stack, from the environment."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


class UserError(Exception):
    """Error that the user can fix; reported without a stack trace."""


@dataclass(frozen=True)
class Settings:
    """Settings of one local stack. Stacks with different state directories are independent of each other."""

    state: Path
    """LOCAL_STATE_DIR: directory for everything that this stack writes to disk. Default: .local"""
    venv: Path
    """LOCAL_VENV: Python environment of local/requirements.lock. Default: .local/venv"""
    lambda_directory: Path
    """LAMBDA_DIRECTORY: built functions, one directory each. Default: .local/lambda, as in the Makefile"""
    simulator_binary: Path
    """BEDROCK_SIMULATOR_BIN. Default: debug/bedrock-simulator in Cargo's target directory"""
    simulator_backend: str
    """BEDROCK_SIMULATOR_BACKEND: source of the answers. Default: fake"""
    simulator_step_ms: str
    """BEDROCK_SIMULATOR_STEP_MS: time that a job spends in each status. Default: 200"""
    simulator_options: tuple[str, ...]
    """BEDROCK_SIMULATOR_OPTIONS: further options, in shell syntax. Default: none"""
    retry_scale: str
    """SFN_WAIT_SCALE: factor for the waits between retries. Default: 0.02"""
    stage: str
    """LOCAL_STAGE: stage of the deployment, the context key `stage`. Default: none, as in a first deployment"""
    record_requests: str
    """RECORD_REQUESTS: 1 to record and validate the requests of functions and state machines. Default: 0"""

    @classmethod
    def from_environment(cls) -> "Settings":
        def path(name: str, default: Path) -> Path:
            return Path(os.environ[name]).resolve() if os.environ.get(name) else default

        target = path("CARGO_TARGET_DIR", cache_directory() / "bedrock-batch" / "target")
        return cls(
            state=path("LOCAL_STATE_DIR", REPOSITORY / ".local"),
            venv=path("LOCAL_VENV", REPOSITORY / ".local" / "venv"),
            lambda_directory=path("LAMBDA_DIRECTORY", REPOSITORY / ".local" / "lambda"),
            simulator_binary=path("BEDROCK_SIMULATOR_BIN", target / "debug" / "bedrock-simulator"),
            simulator_backend=os.environ.get("BEDROCK_SIMULATOR_BACKEND") or "fake",
            simulator_step_ms=os.environ.get("BEDROCK_SIMULATOR_STEP_MS") or "200",
            simulator_options=tuple(shlex.split(os.environ.get("BEDROCK_SIMULATOR_OPTIONS", ""))),
            retry_scale=os.environ.get("SFN_WAIT_SCALE") or "0.02",
            stage=os.environ.get("LOCAL_STAGE") or "",
            record_requests=os.environ.get("RECORD_REQUESTS") or "0",
        )

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def temporary(self) -> Path:
        return self.state / "tmp"

    @property
    def environment_file(self) -> Path:
        return self.state / "env"

    def make_directories(self) -> None:
        for directory in (self.state, self.logs, self.temporary, self.state / "home"):
            directory.mkdir(parents=True, exist_ok=True)
