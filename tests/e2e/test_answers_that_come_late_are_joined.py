"""Answers that appear only after their job has ended are waited for, within bounds, and never paid for twice."""

from stack.checks import assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table

COUNT = 200
LATE = "rows that Bedrock counts as processed, without a line in the job's output"


def test_answers_that_appear_after_the_end_of_their_job(stack, misbehaving):
    misbehaving(output_delay_seconds=4)
    run = stack.play(stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=100), "late")
    assert_rows_kept(run, topic_table(COUNT))
    assert_own_answers(run)
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert_totals(run, COUNT, answered=COUNT)
    assert (run.summary["rounds"], run.summary["warnings"]) == (1, {})


def test_answers_that_do_not_appear_in_time_are_a_warning(stack, misbehaving):
    misbehaving(output_delay_seconds=60)
    fields = {"max_retry_rounds": 0, "processing_mode": "batch"}
    run = stack.play(stack.joke(stack.put_input(csv_text(topic_table(COUNT))), **fields), "too-late")
    assert_totals(run, COUNT, answered=0, failed=COUNT)
    assert run.summary["warnings"] == {LATE: COUNT}
