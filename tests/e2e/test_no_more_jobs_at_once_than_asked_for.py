"""`max_concurrent_jobs` holds back jobs of a run, and the stack's own limit of five holds when more are asked for."""

from stack.checks import assert_whole
from stack.inputs import csv_text, topic_table

OPEN = {"Submitted", "Validating", "Scheduled", "InProgress"}


def most_open_at_once(run) -> int:
    most = 0
    while run.status == "RUNNING":
        most = max(most, sum(job["status"] in OPEN for job in run.jobs))
    return most


def start(stack, count: int, name: str, at_once: int):
    uri = stack.put_input(csv_text(topic_table(count)))
    return stack.start(stack.joke(uri, max_records_per_job=100, max_concurrent_jobs=at_once), name)


def test_fewer_than_the_stack_allows(stack, misbehaving):
    misbehaving(job_seconds=1)
    run = start(stack, 500, "two-at-once", 2)
    assert 1 < most_open_at_once(run) <= 2
    assert_whole(run, topic_table(500), [100] * 5)


def test_never_more_than_the_stack_allows(stack, misbehaving):
    misbehaving(job_seconds=2)
    run = start(stack, 700, "five-at-once", 50)
    assert 1 < most_open_at_once(run) <= 5
    assert_whole(run, topic_table(700), [100] * 7)
