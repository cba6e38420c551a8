"""Functions that take more memory than they have end, as on AWS."""

import subprocess
import sys

import pytest

from local_stack.function_memory import peak_mib, watch

TAKE = "import sys; held = bytearray(int(sys.argv[1]) << 20); del held; sys.stdin.read()"


def function(mib):
    return subprocess.Popen([sys.executable, "-c", TAKE, str(mib)], stdin=subprocess.PIPE)


def test_a_function_over_its_memory_is_ended_even_if_it_has_freed_it():
    with function(200) as process:
        watch(process, "f", 100)
        assert process.returncode == -9


def test_a_function_within_its_memory_is_left_alone():
    with function(20) as process:
        process.stdin.close()
        watch(process, "f", 100)
        assert process.returncode == 0


def test_the_peak_of_a_process_that_has_ended_is_nothing():
    with function(1) as process:
        process.stdin.close()
        process.wait()
    assert peak_mib(process.pid) == pytest.approx(0)
