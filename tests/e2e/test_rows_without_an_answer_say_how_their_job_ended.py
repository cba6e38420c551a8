"""Jobs that end partially completed, expired, stopped or by a transient fault, without retries: their answers come out,
the other rows say why they have none, and the other jobs continue."""

from stack.checks import assert_jobs, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 300
PASSING = "Internal server error. Please try again."


def execution_input(stack, **fields) -> dict:
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    return stack.joke(uri, max_records_per_job=100, max_retry_rounds=0, processing_mode="batch", **fields)


def play(stack):
    stopped = stack.start(execution_input(stack), "stopped", in_progress_seconds=60, only_inputs=["/0001.jsonl"])
    runs = {
        "partial": stack.start(execution_input(stack), "partial", partial_rate=1),
        "expired": stack.start(execution_input(stack), "expired", expire_rate=1, only_inputs=["/0000.jsonl"]),
        "all-expired": stack.start(
            execution_input(stack, output_formats=["parquet", "csv"]), "all-expired", expire_rate=1
        ),
        "passing-fault": stack.start(
            execution_input(stack), "passing-fault", fail_rate=1, fail_message=PASSING, only_inputs=["/0000.jsonl"]
        ),
    }

    def answering() -> list[dict]:
        second = (job for job in stopped.jobs if job["inputS3Uri"].endswith("/0001.jsonl"))
        return [job for job in second if (job["counts"] or {}).get("processedRecordCount")]

    (job,) = wait_for("some answers of the second job", answering)
    stack.bedrock.stop_model_invocation_job(jobIdentifier=job["jobArn"])
    return {name: run.wait() for name, run in {**runs, "stopped": stopped}.items()}


def assert_rows_say_why(run, words: str) -> int:
    """The number of rows without an answer; checks all rows."""
    assert_rows_kept(run, topic_table(COUNT))
    assert_own_answers(run, all_came=False)
    missing = 0
    for row in run.rows.to_pylist():
        assert row["attempts"] == 1
        if row["record_id"] not in run.answers:
            missing += 1
            assert words in row["error"]
    assert_totals(run, COUNT, answered=COUNT - missing, failed=missing)
    assert run.output["status"] == "completed_with_errors"
    return missing


def statuses(run) -> list[str]:
    return [job["status"] for job in run.jobs]


def test_partially_completed(played):
    run = played["partial"]
    missing = assert_rows_say_why(run, "PartiallyCompleted")
    assert 0 < missing < COUNT
    assert_jobs(run, [100, 100, 100], "PartiallyCompleted")


def test_expired_beside_jobs_that_complete(played):
    run = played["expired"]
    assert statuses(run) == ["Expired", "Completed", "Completed"]
    assert assert_rows_say_why(run, "Expired") == 100
    assert run.rows["error"].slice(0, 100).null_count == 0


def test_all_expired(played):
    run = played["all-expired"]
    assert assert_rows_say_why(run, "Expired") == COUNT
    assert run.summary["output_tokens"] == 0
    assert len(run.csv_rows) == COUNT


def test_stopped_by_a_user(played):
    run = played["stopped"]
    assert statuses(run) == ["Completed", "Stopped", "Completed"]
    missing = assert_rows_say_why(run, "Stopped")
    assert 0 < missing < 100, "what was answered before the stop is kept"


def test_failed_by_a_transient_fault(played):
    run = played["passing-fault"]
    assert statuses(run) == ["Failed", "Completed", "Completed"]
    assert assert_rows_say_why(run, PASSING) == 100
