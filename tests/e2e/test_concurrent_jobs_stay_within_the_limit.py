"""`max_concurrent_jobs` limits the open jobs of a run, and the stack's own limit of five holds if more are
requested."""

from stack.checks import assert_whole
from stack.inputs import csv_text, topic_table


def max_open_jobs(stack, run) -> int:
    """Returns the maximum number of jobs of the run that were open at the same time, by Bedrock's own times."""
    jobs = [stack.bedrock.get_model_invocation_job(jobIdentifier=job["jobArn"]) for job in run.jobs]
    # An end comes before a beginning of the same moment.
    changes = sorted([(job["submitTime"], 1) for job in jobs] + [(job["endTime"], -1) for job in jobs])
    return max(sum(change for _, change in changes[: place + 1]) for place in range(len(changes)))


def play(stack, count: int, name: str, at_once: int):
    uri = stack.put_input(csv_text(topic_table(count)))
    return stack.play(stack.joke(uri, max_records_per_job=100, max_concurrent_jobs=at_once), name)


def test_a_run_may_have_fewer_than_the_stack_allows(stack, misbehaving):
    misbehaving(job_seconds=3)
    run = play(stack, 500, "two-at-once", 2)
    assert max_open_jobs(stack, run) == 2
    assert_whole(run, topic_table(500), [100] * 5)


def test_never_more_than_the_stack_allows(stack, misbehaving):
    misbehaving(job_seconds=5)
    run = play(stack, 700, "five-at-once", 50)
    assert 2 < max_open_jobs(stack, run) <= 5
    assert_whole(run, topic_table(700), [100] * 7)
