"""Quota, throttling and faults of Bedrock when a job is created: the run waits and retries until all jobs are done."""

from datetime import datetime
from functools import partial
from itertools import pairwise

import pytest

from stack.checks import assert_whole
from stack.contract import PREFIXES, function_name
from stack.deployed import unique
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 400
SIZES = [100] * 4


def start(stack, name: str, **behaviour):
    wanted = stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=100)
    return stack.start(wanted, name, **behaviour)


def play(stack):
    sharing = unique("sharing")
    stack.simulator.behave(f"/{sharing}", create_quota=2, job_seconds=0.4)
    runs = {
        "quota": start(stack, "quota", create_quota=1, job_seconds=0.4),
        "half-throttled": start(stack, "half-throttled", create_throttle_rate=0.6, seed=11),
        "sharing": start(stack, sharing),
        "sharing too": start(stack, sharing),
    }
    for error, refusals in (("Throttled", {"create_throttle_rate": 1}), ("Transient", {"control_5xx_rate": 1})):
        run = runs[error] = start(stack, error.lower(), **refusals)
        # Without an end of the refusals, some job would be given up.
        wait_for("submit to fail", partial(failures, stack, run, error), pause=0.2)
        assert run.jobs == []
        run.behave_well()
    return {name: run.wait() for name, run in runs.items()}


def failures(stack, run, error: str) -> list[str]:
    """The log lines of submit about a failure of one of the run's jobs."""
    if not stack.keys(f"{PREFIXES['RUNS']}/{run.run_id}/jobs.json"):
        return []
    names = [job["name"] for job in run.json("jobs.json")]
    lines = stack.logged(function_name("submit"), error)
    return [line for line in lines if any(name in line for name in names)]


def test_a_quota_of_one_job_is_shared_by_all(stack, played):
    run = played["quota"]
    assert_whole(run, topic_table(COUNT), SIZES)
    assert failures(stack, run, "QuotaExceeded"), "jobs were refused"
    submitted = sorted(datetime.fromisoformat(job["submitTime"]) for job in run.jobs)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(submitted)]
    assert min(gaps) >= 0.3, "no job was made while another was open"


@pytest.mark.parametrize("error", ["Throttled", "Transient"])
def test_throttling_and_faults_of_bedrock(stack, played, error):
    run = played[error]
    assert_whole(run, topic_table(COUNT), SIZES)
    assert failures(stack, run, error), "submit has failed and was repeated"


def test_some_calls_are_throttled(played):
    assert_whole(played["half-throttled"], topic_table(COUNT), SIZES)


@pytest.mark.parametrize("name", ["sharing", "sharing too"])
def test_two_runs_share_a_quota(played, name):
    assert_whole(played[name], topic_table(COUNT), SIZES)
