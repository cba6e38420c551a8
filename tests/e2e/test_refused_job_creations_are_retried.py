"""Quota, throttling and faults of Bedrock when a job is created: the run waits and retries until all jobs are done."""

from datetime import datetime
from itertools import pairwise

from stack.checks import assert_whole
from stack.contract import function_name
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 400
SIZES = [100] * 4


def start(stack, name: str):
    return stack.start(stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=100), name)


def failures(stack, run, error: str) -> list[str]:
    """The log lines of submit about a failure of one of the run's jobs."""
    names = [job["name"] for job in run.json("jobs.json")]
    lines = stack.logged(function_name("submit"), error)
    return [line for line in lines if any(name in line for name in names)]


def test_a_quota_of_one_job_is_shared_by_all(stack, misbehaving):
    misbehaving(create_quota=1, job_seconds=0.4)
    run = start(stack, "quota").wait()
    assert_whole(run, topic_table(COUNT), SIZES)
    assert failures(stack, run, "QuotaExceeded"), "jobs were refused"
    submitted = sorted(datetime.fromisoformat(job["submitTime"]) for job in run.jobs)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(submitted)]
    assert min(gaps) >= 0.3, "no job was made while another was open"


def refused_until_it_ends(stack, misbehaving, error: str, refusal: str, **behaviour) -> None:
    def refusals() -> int:
        return stack.simulator.calls().get("CreateModelInvocationJob", {}).get(refusal, 0)

    before = refusals()
    misbehaving(**behaviour)
    run = start(stack, error.lower())
    # The SDK sends a request three times: with this number of refusals, at least one of the four jobs has met three of
    # them, so that its submit has failed, and no job has met enough of them to be given up.
    wait_for("submit to be refused", lambda: refusals() >= before + 12)
    assert run.jobs == []
    stack.simulator.behave_well()
    assert_whole(run.wait(), topic_table(COUNT), SIZES)
    assert failures(stack, run, error), "submit has failed and was repeated"


def test_throttling(stack, misbehaving):
    refused_until_it_ends(stack, misbehaving, "Throttled", "ThrottlingException", create_throttle_rate=1)


def test_faults_of_bedrock(stack, misbehaving):
    refused_until_it_ends(stack, misbehaving, "Transient", "InternalServerException", control_5xx_rate=1)


def test_some_calls_are_throttled(stack, misbehaving):
    misbehaving(create_throttle_rate=0.6, seed=11)
    assert_whole(start(stack, "half-throttled").wait(), topic_table(COUNT), SIZES)


def test_two_runs_share_a_quota(stack, misbehaving):
    misbehaving(create_quota=2, job_seconds=0.4)
    for run in [start(stack, "sharing") for _ in range(2)]:
        assert_whole(run.wait(), topic_table(COUNT), SIZES)
