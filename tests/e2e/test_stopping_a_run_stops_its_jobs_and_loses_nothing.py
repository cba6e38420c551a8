"""Spending stops with the execution: its Bedrock jobs are stopped. The answers so far can be collected, and the run can
be resumed: chunks that were sent are not sent again, and no answered row is sent twice."""

from functools import partial

import pyarrow as pa
import pytest

from stack.checks import assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table, topics
from stack.waiting import wait_for

COUNT = 300
CORRUPT_FIRST = 910_000
ROWS = topic_table(COUNT)


def has_more_jobs(run, than: int) -> bool:
    return len(run.jobs) > than


def status_of(run, chunk: int) -> str | None:
    return next((job["status"] for job in run.jobs if job["inputS3Uri"].endswith(f"/{chunk:04}.jsonl")), None)


def processed(run, chunk: int) -> int:
    found = (job for job in run.jobs if job["inputS3Uri"].endswith(f"/{chunk:04}.jsonl"))
    return sum((job["counts"] or {}).get("processedRecordCount", 0) for job in found)


def play(stack):
    """Three chunks one after the other: stopped when the first is answered, the second is being answered, and the third
    was never sent. Then collected, and then resumed."""
    uri = stack.put_input(csv_text(ROWS))
    execution_input = stack.joke(uri, max_records_per_job=100, max_concurrent_jobs=1, requests_per_second=200)
    run = stack.start(execution_input, "to-stop", in_progress_seconds=60, only_inputs=["/0001.jsonl"])
    wait_for("some answers of the second job", lambda: processed(run, 1) > 0)
    run.stop()
    wait_for("its jobs to be over", lambda: [job["status"] for job in run.jobs] == ["Completed", "Stopped"])
    run.behave_well()
    collected = stack.collect(run).wait()
    read = {
        "end": collected.output,
        "rows": collected.rows,
        "job_attempts": collected.job_attempts,
        "answers": collected.answers,
    }
    resumed = stack.resume(run, **execution_input).wait()
    return run, collected, read, resumed


def test_the_jobs_stop_with_the_execution(played):
    run, *_ = played
    assert run.status == "ABORTED"
    assert status_of(run, 1) == "Stopped"


def test_collecting_gives_every_row_once_answered_or_with_its_reason(played):
    _, collected, read, _ = played
    assert_rows_kept(collected, ROWS)
    rows, answers = read["rows"].to_pylist(), read["answers"]
    missing = {"0": 0, "1": 0, "2": 0}
    for row in rows:
        chunk = str(int(row["record_id"][1:]) // 100)
        assert (row["error"] is None) == (row["record_id"] in answers)
        if row["error"] is not None:
            missing[chunk] += 1
            words = {"1": "the job ended as Stopped", "2": "not asked: the run ended before"}[chunk]
            assert words in row["error"]
        assert row["attempts"] == (0 if chunk == "2" else 1)
    assert missing["0"] == 0 < missing["1"] < 100 == missing["2"]


def test_collecting_counts_the_answers_so_far(played):
    _, _, read, _ = played
    summary = read["end"]["summary"]
    answered = len(read["answers"])
    assert read["end"]["status"] == "completed_with_errors"
    assert (summary["records_in"], summary["answered"], summary["failed"]) == (COUNT, answered, COUNT - answered)
    assert (summary["jobs"], summary["rounds"], summary["retried"]) == (2, 1, 0)
    assert summary["lanes"]["batch"]["answers"] == answered
    assert summary["cost_usd"] > 0


def test_collecting_sent_nothing(played):
    _, _, read, _ = played
    assert [(attempt.was_taken, len(attempt)) for attempt in read["job_attempts"]] == [
        (True, 100),
        (True, 100),
        (False, 100),
    ]


def test_the_resumed_run_is_whole(played):
    """Reading the answers fails if an answered row was sent again."""
    *_, resumed = played
    assert resumed.output["run_id"] == resumed.run_id
    assert_rows_kept(resumed, ROWS)
    assert_own_answers(resumed)
    assert_totals(resumed, COUNT, answered=COUNT)


def test_rows_that_were_sent_are_not_sent_again(played):
    run, _, read, resumed = played
    assert {job["createCalls"] for job in resumed.jobs} == {1}
    first = resumed.job_attempts[:3]
    assert [attempt.name for attempt in first] == [job["name"] for job in run.json("jobs.json")]
    assert [attempt.name for attempt in first if attempt.was_taken] == [attempt.name for attempt in first]
    remainder = 100 - sum(record_id in read["answers"] for record_id in first[1].model_inputs)
    assert sum(len(attempt) for attempt in resumed.job_attempts[3:]) == remainder
    attempts = [row["attempts"] for row in resumed.rows.to_pylist()]
    assert (attempts.count(1), attempts.count(2)) == (COUNT - remainder, remainder)


def test_resuming_a_complete_run_sends_nothing(stack, played):
    run, _, _, resumed = played
    jobs = [(job["jobArn"], job["createCalls"]) for job in resumed.jobs]
    again = stack.resume(run).wait()
    assert again.output["summary"] == resumed.output["summary"]
    assert again.rows.equals(resumed.rows)
    assert [(job["jobArn"], job["createCalls"]) for job in again.jobs] == jobs
    assert len(again.job_attempts) == len(resumed.job_attempts)


def test_a_run_may_be_stopped_and_resumed_more_than_once(stack):
    uri = stack.put_input(csv_text(ROWS))
    wanted = stack.joke(uri, max_records_per_job=200, max_retry_rounds=0, requests_per_second=200)
    run = stack.start(wanted, "twice", in_progress_seconds=60)
    execution = run
    for stop in range(2):
        # The second time it is the jobs of the execution that resumes.
        wait_for(
            "answers of the latest job", lambda: run.jobs and (run.jobs[-1]["counts"] or {}).get("processedRecordCount")
        )
        execution.stop()
        wait_for("the jobs to be over", lambda: {job["status"] for job in run.jobs} <= {"Stopped", "Completed"})
        assert "Stopped" in {job["status"] for job in run.jobs[-1:]}, stop
        run.behave(in_progress_seconds=60 if stop == 0 else None)
        execution = stack.resume(run)
        wait_for("further jobs", partial(has_more_jobs, run, len(run.jobs)))
    resumed = execution.wait()
    assert_rows_kept(resumed, ROWS)
    assert_own_answers(resumed)
    assert_totals(resumed, COUNT, answered=COUNT)
    assert {job["createCalls"] for job in resumed.jobs} == {1}


def test_a_run_that_fails_stops_its_other_jobs_and_can_be_resumed_once_the_reason_is_gone(stack):
    # The first job fails halfway, when there is time enough to stop the second.
    failing = {
        "fail_rate": 1,
        "fail_message": "Access denied to s3://a-bucket/x: check it.",
        "only_inputs": ["/0000.jsonl"],
    }
    uri = stack.put_input(csv_text(topic_table(200)))
    wanted = stack.joke(uri, max_records_per_job=100, requests_per_second=200)
    run = stack.start(wanted, "fails", job_seconds=20, **failing)
    wait_for("both jobs", lambda: len(run.jobs) == 2)
    error, cause = run.wait().failure()
    assert error == "JobFailed" and "Access denied" in cause
    wait_for("the other job to be stopped", lambda: [job["status"] for job in run.jobs] == ["Failed", "Stopped"])
    run.behave_well()
    resumed = stack.resume(run).wait()
    assert_rows_kept(resumed, topic_table(200))
    assert_own_answers(resumed)
    assert set(resumed.rows["attempts"].to_pylist()) == {2}
    assert_totals(resumed, 200, answered=200)
    assert {job["createCalls"] for job in resumed.jobs} == {1}


def test_resuming_creates_the_jobs_that_could_not_be_created(stack):
    wanted = stack.joke(stack.put_input(csv_text(topic_table(200))), max_records_per_job=100)
    run = stack.play(wanted, "denied", denied_operations=["CreateModelInvocationJob"])
    assert run.failure()[0] == "AccessDenied"
    assert run.jobs == []
    run.behave_well()
    resumed = stack.resume(run).wait()
    assert_rows_kept(resumed, topic_table(200))
    assert_own_answers(resumed)
    assert set(resumed.rows["attempts"].to_pylist()) == {1}
    assert [(job["createCalls"], job["status"]) for job in resumed.jobs] == [(1, "Completed")] * 2
    assert_totals(resumed, 200, answered=200)


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_model_that_was_denied_answers_after_resuming(stack, rounds):
    # On demand, requests are recognized by their text.
    denied = f"denied at first, with {rounds} rounds"
    stack.simulator.behave(denied, on_demand_denied_models=["anthropic.claude-haiku-4-5"])
    rows = pa.table({"topic": [f"{topic}, {denied}" for topic in topics(30)]})
    execution_input = stack.joke(
        stack.put_input(csv_text(rows)), requests_per_second=200, max_records_per_job=15, max_retry_rounds=rounds
    )
    run = stack.play(execution_input, "denied-on-demand")
    assert run.failure()[0] == "JobFailed"
    stack.simulator.behave_well(denied)
    resumed = stack.resume(run, **execution_input).wait()
    assert_rows_kept(resumed, rows)
    assert_own_answers(resumed)
    assert_totals(resumed, 30, answered=30)


def test_a_job_whose_item_is_corrupt_is_stopped_too(stack):
    uri = stack.put_input(csv_text(topic_table(200, CORRUPT_FIRST)))
    wanted = stack.joke(uri, max_records_per_job=100, processing_mode="batch")
    run = stack.start(wanted, "corrupt", in_progress_seconds=60)
    wait_for("both jobs to run", lambda: [job["status"] for job in run.jobs] == ["InProgress"] * 2)
    key = {"job_name": run.jobs[0]["jobName"]}
    stack.table.update_item(Key=key, UpdateExpression="REMOVE records")
    run.stop()
    wait_for("both jobs to be stopped", lambda: [job["status"] for job in run.jobs] == ["Stopped"] * 2)
