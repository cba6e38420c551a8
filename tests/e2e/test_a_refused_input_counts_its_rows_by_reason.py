"""In batch mode, if a record that is too large leaves too few others for a job, nothing is submitted, and the message
counts each row for its own reason and says what to do."""

import pyarrow as pa
import pytest

from stack.inputs import parquet_bytes, topics

PLACES = (1, 50, 99)


def play(stack):
    inputs = {}
    for place in PLACES:
        texts = topics(100)
        texts[place] = "x" * 11_000_000
        body = parquet_bytes(pa.table({"topic": texts}))
        inputs[f"large-at-{place}"] = stack.joke(stack.put_input(body, "rows.parquet"), processing_mode="batch")
    return stack.play_all(inputs)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_submitted(played, place):
    run = played[f"large-at-{place}"]
    error, cause = run.failure()
    assert (error, run.jobs) == ("InvalidInput", []), cause


@pytest.mark.parametrize("place", PLACES)
def test_each_row_counts_for_its_own_reason(played, place):
    _, cause = played[f"large-at-{place}"].failure()
    assert "100 cannot be sent" not in cause, cause
    assert "1 cannot be sent (record too large" in cause, cause
    assert "add rows" in cause or "shorten" in cause, "what to do"
