"""Memory of functions: MiniStack starts them as plain processes, which may take all memory of this machine. Lambda ends a
function that takes more than its `MemorySize`, and so does this watch.

The peak is that of the kernel (`VmHWM`), so that one between two looks is found too. An address space limit would not be
honest: the allocator and threads reserve far more than they use.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ministack.core import lambda_runtime

SECONDS_BETWEEN_LOOKS = 0.05

_invoke = lambda_runtime.ProvidedWorker.invoke


def peak_mib(pid: int) -> float:
    """Returns the peak memory of a process, or 0 if it has ended or if the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) / 1024 if peaks else 0


def look_at(worker) -> None:
    """Ends the process of a function if it has taken more memory than it has."""
    process, limit_mib = worker._proc, int(worker.config.get("MemorySize", 128))
    if process is None or process.poll() is not None:
        return
    peak = peak_mib(process.pid)
    if peak > limit_mib:
        process.kill()
        process.wait()
        lambda_runtime.logger.error("Lambda %s ran out of memory: %d of %d MB", worker.func_name, peak, limit_mib)


class Watch:
    """Looks at all functions that are at work, from one thread: dozens are warm and idle, and looking at those would cost
    more than everything else that MiniStack does."""

    def __init__(self) -> None:
        self._working: set = set()
        self._is_working = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._run, name="memory of functions", daemon=True).start()

    @contextmanager
    def over(self, worker) -> Iterator[None]:
        """Watches a function during an invocation."""
        with self._lock:
            self._working.add(worker)
            self._is_working.set()
        try:
            yield
        finally:
            with self._lock:
                self._working.discard(worker)
                if not self._working:
                    self._is_working.clear()
            # At a peak since the last look, too.
            look_at(worker)

    def _run(self) -> None:
        while True:
            self._is_working.wait()
            with self._lock:
                working = list(self._working)
            for worker in working:
                look_at(worker)
            time.sleep(SECONDS_BETWEEN_LOOKS)


def hold_functions_to_their_memory() -> None:
    watch = Watch()
    watch.start()

    def invoke(self, *arguments, **options):
        with watch.over(self):
            return _invoke(self, *arguments, **options)

    lambda_runtime.ProvidedWorker.invoke = invoke
