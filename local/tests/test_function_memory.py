"""Functions that take more memory than they have end, as on AWS."""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from local_stack.function_memory import Watch, peak_mib

TAKE = "import sys; held = bytearray(int(sys.argv[1]) << 20); del held; sys.stdin.read()"


class Worker:
    """What the watch looks at of a worker of MiniStack."""

    func_name = "f"

    def __init__(self, process: subprocess.Popen, memory_mib: int):
        self._proc, self.config = process, {"MemorySize": memory_mib}


@contextmanager
def function(mib):
    with subprocess.Popen([sys.executable, "-c", TAKE, str(mib)], stdin=subprocess.PIPE) as process:
        yield process


def wait_until_it_has_taken(process, mib):
    deadline = time.monotonic() + 60
    while peak_mib(process.pid) < mib:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def watch():
    watch = Watch()
    watch.start()
    return watch


def test_a_function_over_its_memory_is_ended_even_if_it_has_freed_it(watch):
    with function(200) as process, watch.over(Worker(process, 100)):
        assert process.wait(60) == -9


def test_a_peak_at_the_end_of_an_invocation_is_found():
    # It was not started: it looks at the end alone.
    watch = Watch()
    with function(200) as process:
        with watch.over(Worker(process, 100)):
            wait_until_it_has_taken(process, 150)
        assert process.wait(60) == -9


def test_functions_are_watched_again_after_all_were_idle(watch):
    for _ in range(2):
        with function(200) as process, watch.over(Worker(process, 100)):
            assert process.wait(60) == -9


def test_a_function_within_its_memory_is_left_alone(watch):
    with function(20) as process:
        with watch.over(Worker(process, 100)):
            wait_until_it_has_taken(process, 20)
        process.stdin.close()
        assert process.wait(60) == 0


def test_the_peak_of_a_process_that_has_ended_is_nothing():
    with function(1) as process:
        process.stdin.close()
        process.wait()
    assert peak_mib(process.pid) == pytest.approx(0)
