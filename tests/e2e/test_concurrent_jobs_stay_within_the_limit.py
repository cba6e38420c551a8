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


def start(stack, count: int, name: str, at_once: int, job_seconds: float):
    wanted = stack.joke(
        stack.put_input(csv_text(topic_table(count))), max_records_per_job=100, max_concurrent_jobs=at_once
    )
    return stack.start(wanted, name, job_seconds=job_seconds)


def play(stack):
    # Five jobs end only after the last of them was created, on a busy machine as well.
    runs = [start(stack, 500, "two-at-once", 2, 3), start(stack, 700, "five-at-once", 50, 8)]
    return [run.wait() for run in runs]


def test_a_run_may_have_fewer_than_the_stack_allows(stack, played):
    run, _ = played
    assert max_open_jobs(stack, run) == 2
    assert_whole(run, topic_table(500), [100] * 5)


def test_never_more_than_the_stack_allows(stack, played):
    _, run = played
    assert 2 < max_open_jobs(stack, run) <= 5
    assert_whole(run, topic_table(700), [100] * 7)
