"""A single record above the limits of its model is not sent; its row says so, and all others are answered."""

import pyarrow as pa
import pytest

from stack.checks import assert_own_answer, assert_rows_kept, assert_totals
from stack.inputs import parquet_bytes, topics

COUNT = 120
LARGE_AT = 60
BYTES = 11_000_000


def rows(count: int = COUNT) -> pa.Table:
    texts = topics(count)
    texts[LARGE_AT] = "x" * BYTES
    return pa.table({"topic": texts, "n": pa.array(range(count), pa.int64())})


def play(stack):
    uri = stack.put_input(parquet_bytes(rows()), "rows.parquet")
    twice = stack.put_input(parquet_bytes(rows(200)), "rows.parquet")
    return stack.play_all(
        {
            "large-record": stack.joke(uri),
            "too-few-left": stack.joke(uri, max_records_total=100, processing_mode="batch"),
            "no-second-job": stack.joke(twice, max_records_per_job=100, processing_mode="batch"),
        }
    )


@pytest.fixture
def run(played):
    return played["large-record"]


def test_the_large_row_comes_out_with_the_reason(run):
    row = run.rows.slice(LARGE_AT, 1).drop_columns("topic").to_pylist()[0]
    assert row["n"] == LARGE_AT
    assert row["response"] is None
    assert "too large" in row["error"]
    # A hundred records, the least that a job takes, must fit into one file of 10^9 bytes.
    assert "10000000" in row["error"], "the limit is named"
    assert f"r{LARGE_AT:09}" not in run.records, "it was not sent"


def test_all_rows_are_kept_and_the_others_answered(run):
    assert_rows_kept(run, rows())
    assert_totals(run, COUNT, answered=COUNT - 1, failed=1)
    assert run.output["status"] == "completed_with_errors"
    (job,) = run.jobs
    assert job["counts"]["totalRecordCount"] == COUNT - 1
    for row in run.rows.drop_columns("topic").to_pylist():
        if row["n"] != LARGE_AT:
            assert_own_answer(row, run.answers[row["record_id"]])


def test_if_too_few_others_are_left_for_a_job_nothing_is_submitted(played):
    error, cause = played["too-few-left"].failure()
    assert error == "InvalidInput"
    assert "of 100 rows" in cause
    assert "record too large" in cause
    assert "fewer than the 100 records that a batch job needs" in cause
    assert played["too-few-left"].jobs == []


def test_if_the_others_cannot_be_cut_into_jobs_nothing_is_submitted(played):
    """Of 200 rows at 100 a job, 99 are left for the second one."""
    run = played["no-second-job"]
    error, cause = run.failure()
    assert error == "InvalidInput"
    assert "max_records_per_job is `100`: 199 rows cannot be divided into jobs" in cause
    assert "raise it to 199" in cause
    assert run.jobs == []
