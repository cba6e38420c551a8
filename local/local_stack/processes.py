"""Processes that outlive the command which starts them, and are later ended by exactly that identity."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .settings import Settings, UserError


def started_at(pid: int) -> str | None:
    """When the process with this id was started, or None if there is none. Ids are used again; this tells them apart."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # A zombie is over; it only waits for its parent to look.
        return None if fields[0] == "Z" else fields[19]
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


@dataclass(frozen=True)
class Service:
    """One process of the local stack."""

    name: str
    settings: Settings
    health_path: str
    start_seconds: float = 30

    @property
    def record_file(self) -> Path:
        return self.settings.state / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        return self.settings.logs / f"{self.name}.log"

    def running(self) -> dict | None:
        """The record of the process if it still is that process."""
        try:
            record = json.loads(self.record_file.read_text())
        except (OSError, ValueError):
            return None
        return record if started_at(record["pid"]) == record["started_at"] else None

    def ensure(self, port: int, command: list[str], environment: dict[str, str], version: str) -> dict:
        """The running process, started again if its command or version changed or if it is not there."""
        wanted = {"port": port, "command": command, "version": version}
        record = self.running()
        if record and {key: record[key] for key in wanted} == wanted and healthy(self.url(port)):
            return record
        self.stop()
        with self.log_file.open("ab") as log:
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
        self.record_file.write_text(json.dumps(record))
        self._wait_until_healthy(process, port)
        return record

    def stop(self) -> bool:
        """Ends the process if it is ours and still runs. True if there was something to end."""
        record = self.running()
        if record:
            # The whole group: MiniStack's functions are its children and must not outlive it.
            for signal_number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
                try:
                    os.killpg(record["pid"], signal_number)
                except ProcessLookupError:
                    break
                if wait_for(lambda: started_at(record["pid"]) != record["started_at"], patience):
                    break
            # Members of the group that ignored the first signal.
            try:
                os.killpg(record["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.record_file.unlink(missing_ok=True)
        return record is not None

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}{self.health_path}"

    def _wait_until_healthy(self, process: subprocess.Popen, port: int) -> None:
        if wait_for(lambda: process.poll() is not None or healthy(self.url(port)), self.start_seconds) and process.poll() is None:
            return
        over = process.poll()
        self.stop()
        what = f"ended with status {over}" if over is not None else f"did not answer at {self.url(port)} within {self.start_seconds:.0f} s"
        tail = self.log_file.read_text(errors="replace").splitlines()[-15:]
        raise UserError(f"{self.name} {what}. The end of {self.log_file}:\n" + "\n".join(f"  {line}" for line in tail))


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


def wait_for(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
