"""Whatever the output of a job contains, each row comes out once: with its answer if that can be read, otherwise with
the reason; lines that belong to no row are counted as warnings."""

import json

import pytest

from stack.checks import assert_own_answer, assert_rows_kept
from stack.contract import function_name
from stack.inputs import csv_text, topic_table

COUNT = 120


def play(stack):
    run = stack.play(stack.joke(stack.put_input(csv_text(topic_table(COUNT)))), "damaged")
    (key,) = (key for key in stack.keys("batch_outputs_json/") if f"/{run.name}/" in key and key.endswith("jsonl.out"))
    lines = sorted(stack.read(f"s3://{stack.bucket}/{key}").splitlines())
    lines.sort(key=lambda line: json.loads(line)["recordId"])
    stack.put(key, b"\n".join(damaged(lines)))
    (job,) = run.json("jobs.json")
    stack.invoke(function_name("postprocess"), {"run_id": run.name, "execution_arn": run.arn, "job": job})
    summary = stack.invoke(function_name("finalize"), {"action": "summarize", "run_id": run.name})["summary"]
    return run, summary, [json.loads(line) for line in lines]


def damaged(lines: list[bytes]) -> list[bytes]:
    def changed(at: int, **fields) -> bytes:
        line = json.loads(lines[at]) | fields
        return json.dumps({name: value for name, value in line.items() if value is not None}).encode()

    return [
        changed(0, modelOutput="no object"),
        changed(1, modelOutput=None),
        changed(2, modelOutput={"content": [], "stop_reason": "refusal", "usage": {}}),
        changed(3, modelOutput=None, error={"errorCode": "Odd", "errorMessage": 'a "message"\nof two lines'}),
        # 4 is missing.
        lines[5][:50],
        lines[6].replace(b'"recordId"', b'"id"'),
        lines[7] + b"\r",
        b"",
        lines[8] + b"trailing",
        lines[9],
        changed(9, modelOutput={"content": [{"type": "text", "text": "the second answer"}]}),
        changed(10, recordId="r999999999"),
        b"\xff\xfe not UTF-8",
        b"null",
        b"[]",
        *reversed(lines[11:]),
    ]


WITHOUT_ANSWER = {
    0: "format",
    1: "neither an answer nor an error",
    2: "refusal",
    3: "of two lines",
    4: "no answer",
    5: "no answer",
    6: "no answer",
    8: "no answer",
    10: "no answer",
}


def test_every_row_comes_out_once(played):
    run, _, _ = played
    assert_rows_kept(run, topic_table(COUNT))


@pytest.mark.parametrize("at", WITHOUT_ANSWER)
def test_a_row_without_an_answer_says_why(played, at):
    run, _, _ = played
    row = run.rows.slice(at, 1).to_pylist()[0]
    assert row["response"] is None
    assert WITHOUT_ANSWER[at] in row["error"]


def test_all_others_have_their_answers(played):
    run, _, lines = played
    for at, row in enumerate(run.rows.to_pylist()):
        if at not in WITHOUT_ANSWER:
            assert_own_answer(row, lines[at])


def test_all_is_counted(played):
    run, summary, _ = played
    assert (summary["answered"], summary["failed"]) == (COUNT - len(WITHOUT_ANSWER), len(WITHOUT_ANSWER))
    assert summary["warnings"] == {
        "unreadable lines in the job's output": 6,
        "repeated answers to one record": 1,
        "answers to records that were not asked": 1,
    }
    assert run.rows["error"].null_count == summary["answered"]
