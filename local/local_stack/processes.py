"""Processes that outlive the command that starts them and are later ended by their exact identity."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .ports import is_free
from .settings import Settings, UserError


def started_at(pid: int) -> str | None:
    """Returns the start time of the process with this id, or None if there is none. Ids are reused; the start time
    distinguishes processes with the same id."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # A zombie has ended; it only waits for its parent to read its status.
        return None if fields[0] == "Z" else fields[19]
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


@dataclass(frozen=True)
class Service:
    """Process of the local stack."""

    name: str
    settings: Settings
    health_path: str
    start_seconds: float

    def running(self) -> dict | None:
        """Returns the record of the process if that process is still running."""
        record = self._record()
        return record if record and started_at(record["pid"]) == record["started_at"] else None

    def port(self) -> int | None:
        """Returns the port of the process, or its last port if that is free again: deployed resources refer to it."""
        record = self._record()
        if not record:
            return None
        return record["port"] if self.running() or is_free(record["port"]) else None

    def ensure(self, port: int, command: list[str], environment: dict[str, str], version: str) -> dict:
        """Returns the record of the running process, after a restart if its command or version has changed or if it is not
        healthy."""
        wanted = {"port": port, "command": command, "version": version}
        record = self.running()
        if record and {key: record[key] for key in wanted} == wanted and healthy(self._url(port)):
            return record
        self.stop()
        with self._log_file.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self.settings.state,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        record = {"pid": process.pid, "started_at": started_at(process.pid), **wanted}
        self._record_file.write_text(json.dumps(record))
        self._wait_until_healthy(process, port)
        return record

    def stop(self) -> bool:
        """Ends the process if it is still the recorded one. Returns True if it was running."""
        record = self.running()
        if record:
            # The whole process group: MiniStack's functions are its children and must not outlive it.
            send(record["pid"], signal.SIGTERM)
            wait_for(lambda: started_at(record["pid"]) != record["started_at"], seconds=5)
            send(record["pid"], signal.SIGKILL)
            wait_for(lambda: started_at(record["pid"]) != record["started_at"], seconds=5)
        self._record_file.unlink(missing_ok=True)
        return record is not None

    @property
    def _record_file(self) -> Path:
        return self.settings.state / f"{self.name}.pid"

    @property
    def _log_file(self) -> Path:
        return self.settings.logs / f"{self.name}.log"

    def _record(self) -> dict | None:
        try:
            return json.loads(self._record_file.read_text())
        except (OSError, ValueError):
            return None

    def _url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}{self.health_path}"

    def _wait_until_healthy(self, process: subprocess.Popen, port: int) -> None:
        wait_for(lambda: process.poll() is not None or healthy(self._url(port)), self.start_seconds)
        status = process.poll()
        if status is None and healthy(self._url(port)):
            return
        self.stop()
        timeout = f"did not answer at {self._url(port)} within {self.start_seconds:.0f} s"
        what = timeout if status is None else f"ended with status {status}"
        tail = "\n".join(f"  {line}" for line in self._log_file.read_text(errors="replace").splitlines()[-15:])
        raise UserError(f"{self.name} {what}. Last lines of {self._log_file}:\n{tail}")


def send(group: int, signal_number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal_number)


# Requests to this machine never go through the user's proxy.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def healthy(url: str) -> bool:
    try:
        with DIRECT.open(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
