"""Jobs that end partially completed or are stopped: their answers stay, and only the remainder is retried, in batch if
it is enough for a job, otherwise on demand; in batch mode too few rows keep their reason."""

from stack.checks import assert_answered_once_on_demand, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

MANY = 1200
FEW = 100
FIRST = 50_000


def play(stack):
    many = stack.put_input(csv_text(topic_table(MANY, FIRST)))
    few = stack.put_input(csv_text(topic_table(FEW, 2 * FIRST)))
    fields = {"max_retry_rounds": 1, "requests_per_second": 200}
    once = stack.joke(stack.put_input(csv_text(topic_table(FEW, 3 * FIRST))), requests_per_second=200)
    stopped = stack.start(once, "stopped-once", in_progress_seconds=60)
    (job,) = wait_for("some answers", lambda: [job for job in stopped.jobs if processed(job)])
    stopped.behave_well()
    stack.bedrock.stop_model_invocation_job(jobIdentifier=job["jobArn"])
    partial = stack.play_misbehaving_at_first(
        {
            "many": stack.joke(many, max_records_per_job=400, **fields),
            "few": stack.joke(few, **fields),
            "few-in-batch-mode": stack.joke(few, processing_mode="batch", max_retry_rounds=3),
        },
        jobs={"many": 3, "few": 1, "few-in-batch-mode": 1},
        partial_rate=1,
    )
    return {**partial, "stopped-once": stopped.wait()}


def processed(job: dict) -> int:
    return (job["counts"] or {}).get("processedRecordCount", 0)


def missed_by(jobs: list[dict]) -> int:
    return sum(job["counts"]["totalRecordCount"] - job["counts"]["processedRecordCount"] for job in jobs)


def assert_remainder_retried(run, rows, first: int) -> int:
    """The number of rows that the first jobs did not reach: those, and no others, have two attempts."""
    assert_rows_kept(run, rows)
    assert_own_answers(run)
    answered = {record_id for attempt in run.job_attempts[:first] for record_id in attempt.line_of}
    remainder = set(run.records) - answered
    assert {row["record_id"] for row in run.rows.to_pylist() if row["attempts"] == 2} == remainder
    assert set().union(*(attempt.model_inputs for attempt in run.job_attempts[first:])) == remainder
    assert_totals(run, len(rows), answered=len(rows))
    assert (run.summary["rounds"], run.summary["retried"]) == (2, len(remainder))
    return len(remainder)


def test_enough_rows_for_a_job_are_retried_in_batch(played):
    run = played["many"]
    remainder = assert_remainder_retried(run, topic_table(MANY, FIRST), 3)
    assert remainder == missed_by(run.jobs[:3])
    assert {attempt.lane for attempt in run.job_attempts} == {"batch"}
    assert [job["status"] for job in run.jobs[:3]] == ["PartiallyCompleted"] * 3
    assert sum(len(attempt) for attempt in run.job_attempts[3:]) == remainder


def test_rows_of_several_chunks_share_a_job(played):
    again = played["many"].job_attempts[3]
    assert len({int(record_id[1:]) // 400 for record_id in again.model_inputs}) > 1


def test_too_few_rows_are_retried_on_demand(played):
    run = played["few"]
    remainder = assert_remainder_retried(run, topic_table(FEW, 2 * FIRST), 1)
    assert 0 < remainder < FEW
    assert [(attempt.lane, len(attempt)) for attempt in run.job_attempts] == [("batch", FEW), ("on_demand", remainder)]
    assert run.summary["lanes"]["on_demand"]["answers"] == remainder
    assert len(run.jobs) == 1
    assert_answered_once_on_demand(run)


def test_too_few_rows_keep_their_reason_in_batch_mode(played):
    run = played["few-in-batch-mode"]
    (job,) = run.jobs
    missed = missed_by([job])
    assert_rows_kept(run, topic_table(FEW, 2 * FIRST))
    assert_own_answers(run, all_came=False)
    assert_totals(run, FEW, answered=FEW - missed, failed=missed)
    assert run.summary["failed_reasons"] == {"no answer: the job ended as PartiallyCompleted": missed}
    assert run.summary["lanes"].keys() == {"batch"}
    assert set(run.rows["attempts"].to_pylist()) == {1}


def test_rows_of_a_job_stopped_by_a_user_are_retried(played):
    run = played["stopped-once"]
    assert run.jobs[0]["status"] == "Stopped"
    assert 0 < assert_remainder_retried(run, topic_table(FEW, 3 * FIRST), 1) < FEW
