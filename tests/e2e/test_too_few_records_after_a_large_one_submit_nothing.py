"""In batch mode, if a first row that is too large leaves too few rows for a job, the run is refused; no job without
records is created."""

import pyarrow as pa

from stack.inputs import parquet_bytes, topics


def play(stack):
    body = parquet_bytes(pa.table({"topic": ["x" * 11_000_000, *topics(99)]}))
    return stack.play(stack.joke(stack.put_input(body, "rows.parquet"), processing_mode="batch"), "large-first")


def test_nothing_is_submitted(played):
    error, cause = played.failure()
    assert (error, played.jobs) == ("InvalidInput", []), cause
    assert "of 100 rows, 1 cannot be sent (record too large" in cause
