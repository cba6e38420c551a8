"""Brings the local stack up and down."""

import fcntl
import time
from contextlib import contextmanager

from .deployment import deploy
from .environment import EVENT_SOURCE, process_environment, write_environment_file
from .ports import choose_port
from .processes import Service
from .settings import REPOSITORY, Settings, UserError

MINISTACK_PORT = 4566
SIMULATOR_PORT = 4567


def up(settings: Settings) -> None:
    """Starts what does not run, deploys what changed, and writes the environment file."""
    begin = time.monotonic()
    settings.make_directories()
    with only_one(settings):
        ministack, ministack_url = start_ministack(settings)
        simulator_url = start_simulator(settings, ministack_url, ministack["port"])
        outputs, deployed = deploy(settings, ministack, ministack_url, simulator_url)
        write_environment_file(settings.environment_file, ministack_url, simulator_url, outputs)
    what = "deployed" if deployed else "nothing changed"
    print(f"The local stack is up ({what}, {time.monotonic() - begin:.1f} s): AWS at {ministack_url}, Bedrock at {simulator_url}.")
    print(f"Use it with `. {shown(settings.environment_file)}`; logs are in {shown(settings.logs)}.")


def down(settings: Settings) -> None:
    """Ends the processes that `up` started, and nothing else."""
    settings.make_directories()
    with only_one(settings):
        stopped = [service.name for service in (simulator_service(settings), ministack_service(settings)) if service.stop()]
        for name in ("env", "deployed.json", "outputs.json"):
            (settings.state / name).unlink(missing_ok=True)
    print(f"Stopped {' and '.join(stopped)}." if stopped else "The local stack was not running.")


def start_ministack(settings: Settings) -> tuple[dict, str]:
    python = settings.venv / "bin" / "python"
    if not (settings.venv / "bin" / "ministack").is_file():
        raise UserError(f"MiniStack is not installed in {settings.venv}. Install local/requirements.txt there: `python3 -m venv {settings.venv} && {python} -m pip install -r local/requirements.txt`")
    service = ministack_service(settings)
    running = service.running()
    port = running["port"] if running else choose_port(MINISTACK_PORT)
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        **process_environment(settings, endpoint),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SFN_WAIT_SCALE": settings.retry_scale,
        "PYTHONPATH": str(REPOSITORY / "local"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [str(python), "-m", "local_stack.ministack_as_aws"]
    return service.ensure(port, command, environment, version=settings.retry_scale), endpoint


def start_simulator(settings: Settings, endpoint: str, ministack_port: int) -> str:
    binary = settings.simulator_binary
    if not binary.is_file():
        raise UserError(f"{binary} does not exist. Build it with `cargo build -p bedrock-simulator`, or name it in BEDROCK_SIMULATOR_BIN")
    service = simulator_service(settings)
    running = service.running()
    port = running["port"] if running else choose_port(SIMULATOR_PORT, ministack_port)
    command = [
        str(binary),
        f"--listen=127.0.0.1:{port}",
        f"--backend={settings.simulator_backend}",
        f"--step-ms={settings.simulator_step_ms}",
        f"--event-source={EVENT_SOURCE}",
        *settings.simulator_options,
    ]
    built = binary.stat()
    service.ensure(port, command, process_environment(settings, endpoint), version=f"{built.st_mtime_ns} {built.st_size} {endpoint}")
    return f"http://127.0.0.1:{port}"


def ministack_service(settings: Settings) -> Service:
    return Service("ministack", settings, "/_ministack/health")


def simulator_service(settings: Settings) -> Service:
    return Service("bedrock-simulator", settings, "/_simulator/health", start_seconds=10)


@contextmanager
def only_one(settings: Settings):
    """Lets one `up` or `down` at a time work on a state directory."""
    with (settings.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def shown(path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)
