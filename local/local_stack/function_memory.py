"""Memory of functions: MiniStack starts them as plain processes, which may take all memory of this machine. Lambda ends a
function that takes more than its `MemorySize`, and so does this watch.

The peak is that of the kernel (`VmHWM`), so that one between two looks is found too. An address space limit would not be
honest: the allocator and threads reserve far more than they use.
"""

import subprocess
import threading
import time
from pathlib import Path

from ministack.core import lambda_runtime

SECONDS_BETWEEN_LOOKS = 0.05

_spawn = lambda_runtime.ProvidedWorker._spawn


def peak_mib(pid: int) -> float:
    """Returns the peak memory of a process, or 0 if it has ended or if the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) / 1024 if peaks else 0


def watch(process: subprocess.Popen, name: str, limit_mib: int) -> None:
    """Ends the process once it has taken more memory than the limit."""
    while process.poll() is None:
        peak = peak_mib(process.pid)
        if peak > limit_mib:
            process.kill()
            process.wait()
            lambda_runtime.logger.error("Lambda %s ran out of memory: %d of %d MB", name, peak, limit_mib)
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def spawn(self, *arguments, **options):
    _spawn(self, *arguments, **options)
    limit = int(self.config.get("MemorySize", 128))
    threading.Thread(target=watch, args=(self._proc, self.func_name, limit), daemon=True).start()


def hold_functions_to_their_memory() -> None:
    lambda_runtime.ProvidedWorker._spawn = spawn
