"""Jobs that end partially completed or are stopped: what they have answered stays, and only the rest is asked again, in
batch if it is enough for a job, else on demand; in batch mode too few rows keep their reason."""

from stack.checks import assert_answered_once_on_demand, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

MANY = 1200
FEW = 100
FIRST = 50_000


def play_alone(stack):
    many = stack.put_input(csv_text(topic_table(MANY, FIRST)))
    few = stack.put_input(csv_text(topic_table(FEW, 2 * FIRST)))
    asked = {"max_retry_rounds": 1, "requests_per_second": 200}
    return stack.play_misbehaving_at_first(
        {
            "many": stack.joke(many, max_records_per_job=400, **asked),
            "few": stack.joke(few, **asked),
            "few-in-batch-mode": stack.joke(few, processing_mode="batch", max_retry_rounds=3),
        },
        jobs={"many": 3, "few": 1, "few-in-batch-mode": 1},
        partial_rate=1,
    )


def missed_by(jobs: list[dict]) -> int:
    return sum(job["counts"]["totalRecordCount"] - job["counts"]["processedRecordCount"] for job in jobs)


def assert_rest_asked_again(run, rows, first: int) -> int:
    """The number of rows that the first jobs did not reach: those, and no others, have two attempts."""
    assert_rows_kept(run, rows)
    assert_own_answers(run)
    answered = {record_id for ask in run.asks[:first] for record_id in ask.line_of}
    rest = set(run.records) - answered
    assert {row["record_id"] for row in run.rows.to_pylist() if row["attempts"] == 2} == rest
    assert set().union(*(ask.model_inputs for ask in run.asks[first:])) == rest
    assert_totals(run, len(rows), answered=len(rows))
    assert (run.summary["rounds"], run.summary["retried"]) == (2, len(rest))
    return len(rest)


def test_enough_rows_for_a_job_are_retried_in_batch(played_alone):
    run = played_alone["many"]
    rest = assert_rest_asked_again(run, topic_table(MANY, FIRST), 3)
    assert rest == missed_by(run.jobs[:3])
    assert {ask.lane for ask in run.asks} == {"batch"}
    assert [job["status"] for job in run.jobs[:3]] == ["PartiallyCompleted"] * 3
    assert sum(len(ask) for ask in run.asks[3:]) == rest


def test_rows_of_several_chunks_share_a_job(played_alone):
    again = played_alone["many"].asks[3]
    assert len({int(record_id[1:]) // 400 for record_id in again.model_inputs}) > 1


def test_too_few_rows_are_retried_on_demand(played_alone):
    run = played_alone["few"]
    rest = assert_rest_asked_again(run, topic_table(FEW, 2 * FIRST), 1)
    assert 0 < rest < FEW
    assert [(ask.lane, len(ask)) for ask in run.asks] == [("batch", FEW), ("on_demand", rest)]
    assert run.summary["lanes"]["on_demand"]["answers"] == rest
    assert len(run.jobs) == 1
    assert_answered_once_on_demand(run)


def test_too_few_rows_keep_their_reason_in_batch_mode(played_alone):
    run = played_alone["few-in-batch-mode"]
    (job,) = run.jobs
    missed = missed_by([job])
    assert_rows_kept(run, topic_table(FEW, 2 * FIRST))
    assert_own_answers(run, all_came=False)
    assert_totals(run, FEW, answered=FEW - missed, failed=missed)
    assert run.summary["failed_reasons"] == {"no answer: the job ended as PartiallyCompleted": missed}
    assert run.summary["lanes"].keys() == {"batch"}
    assert set(run.rows["attempts"].to_pylist()) == {1}


def test_rows_of_a_job_stopped_by_a_user_are_retried(stack, misbehaving):
    misbehaving(in_progress_seconds=30)
    rows = topic_table(FEW, 3 * FIRST)
    run = stack.start(stack.joke(stack.put_input(csv_text(rows)), requests_per_second=200), "stopped-once")
    (job,) = wait_for(
        "some answers", lambda: [job for job in run.jobs if (job["counts"] or {}).get("processedRecordCount")]
    )
    misbehaving(in_progress_seconds=None)
    stack.bedrock.stop_model_invocation_job(jobIdentifier=job["jobArn"])
    run.wait()
    assert run.jobs[0]["status"] == "Stopped"
    assert 0 < assert_rest_asked_again(run, rows, 1) < FEW
