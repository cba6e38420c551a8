"""A single record above the limits of its model is not sent; its row says so, and all others are answered."""

import pyarrow as pa
from stack.checks import assert_own_answer, assert_rows_kept, assert_totals
from stack.inputs import parquet_bytes, topics

COUNT = 120
LARGE_AT = 60
BYTES = 11_000_000


def rows() -> pa.Table:
    texts = topics(COUNT)
    texts[LARGE_AT] = "x" * BYTES
    return pa.table({"topic": texts, "n": pa.array(range(COUNT), pa.int64())})


def play(stack):
    return stack.play(stack.joke(stack.put_input(parquet_bytes(rows()), "rows.parquet")), "large-record")


def test_the_large_row_comes_out_with_the_reason(played):
    row = played.rows.slice(LARGE_AT, 1).drop_columns("topic").to_pylist()[0]
    assert row["n"] == LARGE_AT
    assert row["response"] is None
    assert "too large" in row["error"]
    # A hundred records, the least that a job takes, must fit into one file of 10^9 bytes.
    assert "10000000" in row["error"], "the limit is named"
    assert f"r{LARGE_AT:09}" not in played.records, "it was not sent"


def test_all_rows_are_kept_and_the_others_answered(played):
    assert_rows_kept(played, rows())
    assert_totals(played, COUNT, answered=COUNT - 1, failed=1)
    assert played.output["status"] == "completed_with_errors"
    (job,) = played.jobs
    assert job["counts"]["totalRecordCount"] == COUNT - 1
    for row in played.rows.drop_columns("topic").to_pylist():
        if row["n"] != LARGE_AT:
            assert_own_answer(row, played.answers[row["record_id"]])
