"""Start and stop of the local stack."""

import fcntl
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

from .deployment import deploy, missing_for_deployment
from .environment import EVENT_SOURCE, process_environment, write_environment_file
from .ports import choose_port
from .processes import Service
from .settings import REPOSITORY, Settings, UserError, cache_directory
from .terminal import say

MINISTACK_PORT = 4566
SIMULATOR_PORT = 4567


def up(settings: Settings) -> None:
    """Starts the processes that are not running, deploys if anything has changed, and writes the environment file."""
    start = time.monotonic()
    check(settings)
    settings.make_directories()
    with only_one(settings.state / "lock"):
        # Two stacks that choose free ports at the same time must not choose the same ones.
        with only_one(ports_lock()):
            ministack, ministack_url = start_ministack(settings)
            simulator_url = start_simulator(settings, ministack_url, ministack["port"])
        outputs, deployed = deploy(settings, ministack, ministack_url, simulator_url)
        write_environment_file(settings.environment_file, ministack_url, simulator_url, outputs)
    action = "deployed" if deployed else "no changes"
    seconds = time.monotonic() - start
    say(f"The local stack is up ({action}, {seconds:.1f} s): AWS at {ministack_url}, Bedrock at {simulator_url}.")
    say(f"To use it: `. {shown(settings.environment_file)}`. Its logs are in {shown(settings.logs)}.")


def down(settings: Settings) -> None:
    """Ends the processes that `up` started, and nothing else."""
    settings.make_directories()
    with only_one(settings.state / "lock"):
        services = (simulator_service(settings), ministack_service(settings))
        stopped = [service.name for service in services if service.stop()]
        for name in ("env", "deployed.json", "outputs.json"):
            (settings.state / name).unlink(missing_ok=True)
    say(f"Stopped {' and '.join(stopped)}." if stopped else "The local stack was not running.")


def check(settings: Settings) -> None:
    """Reports everything that is missing at once, before anything is started."""
    problems = missing_for_deployment(settings)
    if not (settings.venv / "bin" / "ministack").is_file():
        pip = settings.venv / "bin" / "pip"
        problems.append(
            f"MiniStack is not installed in {settings.venv}. Install the Python packages of the local stack with "
            f"`make setup` (or `python3 -m venv {settings.venv} && {pip} install --require-hashes -r local/requirements.lock`)"
        )
    if not settings.simulator_binary.is_file():
        problems.append(
            f"{settings.simulator_binary} does not exist. Build it with `make build`, "
            "or set BEDROCK_SIMULATOR_BIN to its path"
        )
    if problems:
        raise UserError("\n".join(["the local stack cannot be started:", *(f"  - {problem}" for problem in problems)]))


def start_ministack(settings: Settings) -> tuple[dict, str]:
    service = ministack_service(settings)
    port = service.port() or choose_port(MINISTACK_PORT)
    endpoint = f"http://127.0.0.1:{port}"
    if not service.running():
        # MiniStack unpacks every version of every function there.
        shutil.rmtree(settings.temporary, ignore_errors=True)
        settings.make_directories()
    environment = {
        **process_environment(settings, endpoint),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SFN_WAIT_SCALE": settings.retry_scale,
        "PYTHONPATH": str(REPOSITORY / "local"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RECORD_REQUESTS": settings.record_requests,
    }
    command = [str(settings.venv / "bin" / "python"), "-m", "local_stack.ministack_as_aws"]
    return service.ensure(
        port, command, environment, version=f"{settings.retry_scale} {settings.record_requests}"
    ), endpoint


def start_simulator(settings: Settings, endpoint: str, ministack_port: int) -> str:
    service = simulator_service(settings)
    port = service.port() or choose_port(SIMULATOR_PORT, ministack_port)
    command = [
        str(settings.simulator_binary),
        f"--listen=127.0.0.1:{port}",
        f"--backend={settings.simulator_backend}",
        f"--step-ms={settings.simulator_step_ms}",
        f"--event-source={EVENT_SOURCE}",
        *settings.simulator_options,
    ]
    built = settings.simulator_binary.stat()
    version = f"{built.st_mtime_ns} {built.st_size} {endpoint}"
    service.ensure(port, command, process_environment(settings, endpoint), version)
    return f"http://127.0.0.1:{port}"


def ministack_service(settings: Settings) -> Service:
    return Service("ministack", settings, "/_ministack/health", start_seconds=120)


def simulator_service(settings: Settings) -> Service:
    return Service("bedrock-simulator", settings, "/_simulator/health", start_seconds=60)


@contextmanager
def only_one(lock_file: Path):
    """Lets only one process at a time enter."""
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ports_lock() -> Path:
    """Returns the lock of all stacks of this user. Not in a folder that others may write to: they could make it a link."""
    folder = cache_directory() / "bedrock-batch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "local-ports.lock"


def shown(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)
