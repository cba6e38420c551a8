"""Ten concurrent runs with a quota of three jobs: all complete, and a waiting job requests its creation only now and
then."""

from stack.checks import assert_whole
from stack.contract import function_name
from stack.inputs import csv_text, topic_table

RUNS = 10
COUNT = 100
# With the waits of the local stack (0.3 s on average at first, half as long again each time, 4.5 s in the end) these
# take more than a minute. A job that did not wait would be refused as often within seconds.
MAX_REFUSALS = 20


def test_all_complete_and_refusals_are_few(stack, misbehaving):
    stack.simulator.forget()
    misbehaving(create_quota=3, job_seconds=1)
    runs = [
        stack.start(stack.joke(stack.put_input(csv_text(topic_table(COUNT, COUNT * number)))), f"share-{number}")
        for number in range(RUNS)
    ]
    for number, run in enumerate(runs):
        assert_whole(run.wait(), topic_table(COUNT, COUNT * number), [COUNT])
    calls = stack.simulator.calls()["CreateModelInvocationJob"]
    assert calls["ok"] == RUNS
    refused = calls["ServiceQuotaExceededException"]
    assert refused >= RUNS - 3, "most had to wait"
    lines = stack.logged(function_name("submit"), "QuotaExceeded")
    for run in runs:
        (job,) = run.json("jobs.json")
        assert sum(job["name"] in line for line in lines) <= MAX_REFUSALS
    assert refused <= RUNS * MAX_REFUSALS
