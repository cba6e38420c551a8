"""Measurement of wall time, CPU time and peak memory."""

import json
import resource
import time
from pathlib import Path
from typing import Any


class Measurement:
    """Wall and CPU time of a `with` block, and the peak memory of the whole process."""

    def __enter__(self) -> "Measurement":
        self._wall = time.perf_counter()
        self._cpu = _cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_seconds = _cpu_seconds() - self._cpu
        self.wall_seconds = time.perf_counter() - self._wall

    def report(self, rows: int, **more: Any) -> None:
        """Prints the JSON line that the benchmark runner reads."""
        line = {
            "rows": rows,
            "wall_seconds": round(self.wall_seconds, 4),
            "cpu_seconds": round(self.cpu_seconds, 4),
            "peak_rss_bytes": _peak_rss_bytes(),
        }
        print(json.dumps(line | more), flush=True)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak_rss_bytes() -> int:
    # VmHWM and not ru_maxrss: the latter starts at the size of the parent process.
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]
    return int(kilobytes) * 1024
