"""A row of which the prompt shows nothing is not sent, keeps its place and has the reason; the minimum of a batch job
counts what is sent. System prompt and prefill show cells."""

import pyarrow as pa

from stack.checks import assert_jobs
from stack.inputs import csv_text, parquet_bytes, topics

COUNT = 110
BLANK = {number for number in range(COUNT) if number % 11 == 5}
REASON = "not sent: all cells that the prompt shows are blank"


def table(blanks, count=COUNT, kinds=("", " ", "\u00a0\t", "\u200b")) -> pa.Table:
    texts = topics(count)
    for at, number in enumerate(sorted(blanks)):
        texts[number] = kinds[at % len(kinds)]
    return pa.table({"topic": pa.array(texts, pa.string()), "note": [f"note {number}" for number in range(count)]})


def play(stack):
    rows = table(BLANK)
    of_company = {
        "description": "d",
        "template": "Write a slogan for {topic}.",
        "system": "You work for {company}. {Braces} stay.",
        "prefill": "{company}:",
    }
    names = pa.table({"topic": ["tea"] * COUNT, "company": [f"Firm {number}" for number in range(COUNT)]})
    return stack.play_all(
        {
            "batch": stack.joke(stack.put_input(csv_text(rows)), processing_mode="batch"),
            "nulls": stack.joke(
                stack.put_input(parquet_bytes(table(BLANK, kinds=(None,))), "rows.parquet"), processing_mode="batch"
            ),
            "one-short": stack.joke(stack.put_input(csv_text(table({7}, 100))), requests_per_second=300),
            "of-company": stack.joke(
                stack.put_input(csv_text(names)), prompt_id=None, prompt=of_company, processing_mode="batch"
            ),
        }
    )


def assert_blank_rows_wait(run, blanks, count):
    rows = run.rows.to_pylist()
    assert [row["note"] for row in rows] == [f"note {number}" for number in range(count)], "each row has its place"
    reasons = {number: row["error"] for number, row in enumerate(rows) if row["error"]}
    assert reasons == dict.fromkeys(blanks, REASON)
    assert run.summary["failed_codes"] == {"blank_row": len(blanks)}
    assert (run.summary["answered"], run.summary["failed"]) == (count - len(blanks), len(blanks))


def test_blank_rows_come_out_with_their_reason_and_are_not_paid(played):
    for name in ("batch", "nulls"):
        run = played[name]
        assert_blank_rows_wait(run, BLANK, COUNT)
        assert_jobs(run, [COUNT - len(BLANK)])


def test_a_job_of_99_is_not_created_for_100_rows_of_which_one_is_blank(played):
    run = played["one-short"]
    assert_blank_rows_wait(run, {7}, 100)
    assert run.jobs == []
    assert [attempt.lane for attempt in run.job_attempts] == ["on_demand"]


def test_columns_are_inserted_into_system_prompt_and_prefill(played):
    run = played["of-company"]
    assert run.summary["answered"] == COUNT, "rows of another company are no duplicates"
    for row in run.rows.to_pylist():
        sent = run.records[row["record_id"]]
        assert sent["system"] == f"You work for {row['company']}. {{Braces}} stay."
        assert sent["messages"][1]["content"] == [{"type": "text", "text": f"{row['company']}:"}]
        answer = run.answers[row["record_id"]]["modelOutput"]
        assert row["response"] == f"{row['company']}:" + "".join(block["text"] for block in answer["content"])
