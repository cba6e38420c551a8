"""Answers that appear only after their job has ended are waited for, within bounds, and never paid for twice."""

from stack.checks import assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table

COUNT = 200
LATE = "rows that Bedrock counts as processed, without a line in the job's output"


def play(stack):
    rows = stack.put_input(csv_text(topic_table(COUNT)))
    fields = {"max_retry_rounds": 0, "processing_mode": "batch"}
    runs = {
        "late": stack.start(stack.joke(rows, max_records_per_job=100), "late", output_delay_seconds=4),
        "too-late": stack.start(stack.joke(rows, **fields), "too-late", output_delay_seconds=600),
    }
    return {name: run.wait() for name, run in runs.items()}


def test_answers_that_appear_after_the_end_of_their_job(played):
    run = played["late"]
    assert_rows_kept(run, topic_table(COUNT))
    assert_own_answers(run)
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert_totals(run, COUNT, answered=COUNT)
    assert (run.summary["rounds"], run.summary["warnings"]) == (1, {})


def test_answers_that_do_not_appear_in_time_are_a_warning(played):
    run = played["too-late"]
    assert_totals(run, COUNT, answered=0, failed=COUNT)
    assert run.summary["warnings"] == {LATE: COUNT}
