"""Ten concurrent runs with a quota of three jobs: all complete, and a waiting job requests its creation only now and
then."""

from functools import partial

import pytest

from stack.checks import assert_whole
from stack.contract import PREFIXES, function_name
from stack.deployed import unique
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

RUNS = 10
COUNT = 100
# With the waits of the local stack (0.3 s on average at first, half as long again each time, 4.5 s in the end) these
# take more than a minute. A job that did not wait would be refused as often within seconds.
MAX_REFUSALS = 20


def play(stack):
    name = unique("share")
    # The jobs of these runs have a quota of their own, which is exhausted until half of them were refused.
    stack.simulator.behave(f"/{name}-", create_quota=0, job_seconds=1)
    runs = [
        stack.start(stack.joke(stack.put_input(csv_text(topic_table(COUNT, COUNT * number)))), name)
        for number in range(RUNS)
    ]
    wait_for("half of the jobs to be refused", partial(half_are_refused, stack, runs), pause=0.5)
    stack.simulator.behave(f"/{name}-", create_quota=3)
    return [run.wait() for run in runs]


def refusals_of(stack, runs) -> list[int]:
    """Number of refusals of each job that is known yet, by the log of submit."""
    lines = stack.logged(function_name("submit"), "QuotaExceeded")
    planned = [run for run in runs if stack.keys(f"{PREFIXES['RUNS']}/{run.run_id}/jobs.json")]
    jobs = [job["name"] for run in planned for job in run.json("jobs.json")]
    return [sum(job in line for line in lines) for job in jobs]


def half_are_refused(stack, runs) -> bool:
    return sum(count > 0 for count in refusals_of(stack, runs)) >= RUNS / 2


@pytest.mark.parametrize("number", range(RUNS))
def test_all_complete(played, number):
    run = played[number]
    assert_whole(run, topic_table(COUNT, COUNT * number), [COUNT])
    assert [job["createCalls"] for job in run.jobs] == [1]


def test_refusals_are_few(stack, played):
    refusals = refusals_of(stack, played)
    assert len(refusals) == RUNS
    assert 0 < max(refusals) <= MAX_REFUSALS
