"""Two executions of the same input at the same time: own jobs, own files, own answers."""

from stack.checks import assert_whole
from stack.inputs import csv_text, topic_table

COUNT = 330
SIZES = [110, 110, 110]


def play(stack):
    execution_input = stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=120)
    runs = [stack.start(execution_input, "twin") for _ in range(2)]
    return [run.wait() for run in runs]


def test_both_are_whole(played):
    for run in played:
        assert_whole(run, topic_table(COUNT), SIZES)


def test_they_share_no_job_and_no_file(played):
    first, second = played
    for field in ("jobName", "jobArn", "clientRequestToken", "inputS3Uri", "outputS3Uri"):
        assert not {job[field] for job in first.jobs} & {job[field] for job in second.jobs}, field
    assert not set(first.output["output_paths"]) & set(second.output["output_paths"])
