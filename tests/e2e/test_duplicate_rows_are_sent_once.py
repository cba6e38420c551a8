"""Rows whose whole model input is that of an earlier row are sent once, and each of them gets the answer; the savings
are counted. With `deduplicate` false, every row is sent."""

import pyarrow as pa
import pytest

from stack.checks import (
    assert_answered_once_on_demand,
    assert_own_answers,
    assert_rows_kept,
    assert_totals,
    assert_whole,
    tokens_of,
)
from stack.inputs import csv_text, parquet_bytes, topics

FIRST = 900_000
TITAN = "amazon.titan-embed-text-v2:0"


def mixed() -> pa.Table:
    """240 different topics, some of which are repeated: nearby, in other chunks, several times."""
    different = topics(240, FIRST)
    texts = [*different[:50], *different[:20], *different[50:], *different[200:], *different[:5], *different[:5]]
    # Other columns have no part in it.
    return pa.table({"topic": texts, "n": [str(number) for number in range(len(texts))]})


def equal() -> pa.Table:
    return pa.table({"topic": [topics(1, FIRST + 1000)[0]] * 250, "n": [str(number) for number in range(250)]})


def with_ids() -> pa.Table:
    return pa.table(
        {
            "record_id": [f"id/{number % 2}/{number}" for number in range(260)],
            "topic": [*topics(110, FIRST + 2000), *topics(150, FIRST + 2000)],
        }
    )


def refused() -> pa.Table:
    """Three empty texts, which the model refuses, and one text twice."""
    texts = topics(104, FIRST)
    texts[3] = texts[50] = texts[103] = ""
    texts[60] = texts[10]
    return pa.table({"input_text": texts})


def on_demand() -> pa.Table:
    return pa.table({"topic": topics(20, FIRST + 3000) * 3})


def few() -> pa.Table:
    """60 different topics and 50 of them again: too few for a batch job without the duplicates."""
    different = topics(60, FIRST + 4000)
    return pa.table({"topic": [*different, *different[:50]]})


def of_numbers() -> pa.Table:
    """Other types with the same text in the prompt."""
    return pa.table({"topic": pa.array([number % 110 for number in range(220)], pa.int64())})


def play(stack):
    def put(table: pa.Table) -> str:
        return stack.put_input(csv_text(table))

    fast = {"requests_per_second": 300, "max_workers": 20}
    return stack.play_all(
        {
            "mixed": stack.joke(put(mixed()), max_records_per_job=120, output_formats=["parquet", "csv"]),
            "mixed-in-batch": stack.joke(put(mixed()), max_records_per_job=120, processing_mode="batch"),
            "each": stack.joke(put(mixed()), max_records_per_job=120, deduplicate=False),
            "equal": stack.joke(put(equal()), max_records_per_job=120, **fast),
            "equal-in-batch": stack.joke(put(equal()), processing_mode="batch"),
            "ids": stack.joke(put(with_ids())),
            "refused": stack.joke(put(refused()), model_id=TITAN, prompt_id=None, ask_blank_rows=True),
            "on-demand": stack.joke(put(on_demand()), inference={"temperature": 0.7}, **fast),
            "few": stack.joke(put(few())),
            "numbers": stack.joke(stack.put_input(parquet_bytes(of_numbers()), "rows.parquet")),
        }
    )


def assert_shared(run, rows: pa.Table, text: str = "topic", record_ids: list[str] | None = None) -> int:
    """The first row of each text was sent, the others have its answer and cost nothing; returns the number of the others."""
    record_ids = record_ids or [f"r{position:09}" for position in range(len(rows))]
    order = {record_id: position for position, record_id in enumerate(record_ids)}
    found = run.rows["record_id"].to_pylist()
    assert len(found) == len(set(found)) == len(rows), "each row once"
    out = run.rows.take(sorted(range(len(found)), key=lambda at: order[found[at]]))
    assert_rows_kept(run, rows, record_ids, out)
    firsts: dict[str, dict] = {}
    others = []
    for row in out.to_pylist():
        first = firsts.setdefault(row[text], row)
        if first is not row:
            others.append(row)
            same = ("response", "embedding", "error", "stop_reason", "model_id", "attempts")
            assert [row.get(name) for name in same] == [first.get(name) for name in same]
            for tokens in ("input_tokens", "output_tokens"):
                assert row[tokens] == (None if first[tokens] is None else 0)
    sent = [record_id for record_id in found if any(row["record_id"] == record_id for row in firsts.values())]
    first_rows = out.filter(pa.compute.is_in(out["record_id"], pa.array(sent)))
    assert_own_answers(run, rows=first_rows)
    saved = run.summary["duplicates"]
    lines = [run.answers[firsts[row[text]]["record_id"]] for row in others]
    counts = [tokens_of(line) for line in lines if "modelOutput" in line]
    assert saved == {
        "rows": len(others),
        "input_tokens_saved": sum(read for read, _ in counts),
        "output_tokens_saved": sum(written for _, written in counts),
    }
    answered = out["error"].null_count
    assert_totals(run, len(rows), answered=answered, failed=len(rows) - answered, duplicates=len(others))
    return len(others)


def test_rows_of_the_same_chunk_and_of_others(played):
    for name in ("mixed", "mixed-in-batch"):
        run = played[name]
        assert assert_shared(run, mixed()) == 70
        assert run.output["status"] == "completed"
        assert run.summary["duplicates"]["output_tokens_saved"] > 0


def test_jobs_are_filled_with_distinct_rows(played):
    for name in ("mixed", "mixed-in-batch"):
        assert [(attempt.lane, len(attempt)) for attempt in played[name].job_attempts] == [
            ("batch", 120),
            ("batch", 120),
        ]


def test_they_come_in_files_of_their_own(played):
    run = played["mixed"]
    names = [path.removeprefix(run.output["output_prefix"]) for path in run.output["output_paths"]]
    chunks = [*(f"{index:04}" for index in range(len(run.job_attempts))), "duplicates-0000"]
    assert names == [f"{chunk}.{kind}" for chunk in chunks for kind in ("parquet", "csv")]
    assert [len(table) for table in run.tables] == [*map(len, run.job_attempts), 70]
    assert [row["response"] for row in run.csv_rows] == run.rows["response"].to_pylist()
    assert [row["n"] for row in run.csv_rows] == run.rows["n"].to_pylist()


def test_deduplicate_false_sends_each_row(played):
    rows = mixed()
    assert_whole(played["each"], rows, [104, 103, 103])
    assert played["each"].summary["duplicates"] == {"rows": 0, "input_tokens_saved": 0, "output_tokens_saved": 0}


def test_all_rows_equal(played):
    run = played["equal"]
    assert assert_shared(run, equal()) == 249
    assert [(attempt.lane, len(attempt)) for attempt in run.job_attempts] == [("on_demand", 1)]
    assert_answered_once_on_demand(run)


def test_too_few_different_rows_for_batch_mode_are_refused(played):
    error, cause = played["equal-in-batch"].failure()
    assert error == "InvalidInput"
    assert "249 equal others" in cause
    assert "deduplicate" in cause


def test_own_ids(played):
    run, rows = played["ids"], with_ids()
    assert assert_shared(run, rows, record_ids=rows["record_id"].to_pylist()) == 110


def test_a_refusal_is_shared_as_well(played):
    run = played["refused"]
    assert assert_shared(run, refused(), "input_text") == 3
    errors = run.rows["error"].to_pylist()
    assert sum(error is not None for error in errors) == 3
    assert run.summary["failed"] == 3
    assert len(set(errors)) == 2, "all say the same"


def test_on_demand(played):
    run = played["on-demand"]
    assert assert_shared(run, on_demand()) == 40
    assert [(attempt.lane, len(attempt)) for attempt in run.job_attempts] == [("on_demand", 20)]
    assert_answered_once_on_demand(run)


def test_one_answer_for_several_rows_is_warned_of_where_answers_would_differ(played):
    warning = (
        "rows that equal earlier ones get the same answer, although temperature is 0.7; set deduplicate to false to send "
        "each of them"
    )
    assert played["on-demand"].summary["warnings"] == {warning: 40}
    assert played["mixed"].summary["warnings"] == {}


@pytest.mark.parametrize("name", ["mixed", "ids", "refused", "on-demand", "equal", "numbers"])
def test_no_text_was_sent_twice(played, name):
    texts = [str(model_input) for model_input in played[name].records.values()]
    assert len(texts) == len(set(texts))


def test_typed_columns(played):
    assert assert_shared(played["numbers"], of_numbers()) == 110


def test_duplicates_are_sent_too_where_batch_costs_less(played):
    """110 records in batch, at half the price, cost less than 60 on demand."""
    run = played["few"]
    assert_whole(run, few(), [110])
    assert run.summary["duplicates"]["rows"] == 0
    assert list(run.summary["lanes"]) == ["batch"]
