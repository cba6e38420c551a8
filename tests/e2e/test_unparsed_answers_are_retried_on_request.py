"""Answers of an unknown form, and those without a text, are retried if `retry_on` contains `unparsed`, and only then:
the model has been paid for them."""

import json

from stack.checks import assert_answered_once_on_demand, assert_own_answers, assert_rows_kept
from stack.inputs import csv_text, topic_table
from stack.job_attempts import json_lines

COUNT = 110
FIRST = 1_300_000
ODD = {"r000000004": "no object", "r000000040": {"choices": []}, "r000000070": {"content": [], "usage": {}}}


def damage(stack, run) -> None:
    """Puts odd answers into the output of the run's job, as if Bedrock had written them."""
    keys = stack.keys(f"batch_outputs_json/e2e/{run.name}/")
    (key,) = (key for key in keys if key.endswith(".jsonl.out"))
    lines = json_lines(stack.read(f"s3://{stack.bucket}/{key}"))
    for line in lines:
        line["modelOutput"] = ODD.get(line["recordId"], line["modelOutput"])
    stack.put(key, "\n".join(map(json.dumps, lines)))


def play(stack):
    runs = {}
    for name, retry_on in {"wanted": ["missing", "error", "unparsed"], "usual": None}.items():
        uri = stack.put_input(csv_text(topic_table(COUNT, FIRST)))
        run = stack.play(stack.joke(uri, retry_on=retry_on, requests_per_second=100), name)
        damage(stack, run)
        collected = stack.collect(run).wait()
        runs[name] = (collected.output["summary"], collected.rows, stack.resume(run).wait())
    return runs


def rows_with_odd_answers(rows) -> list[dict]:
    return [row for row in rows.to_pylist() if row["record_id"] in ODD]


def test_they_are_retried_if_retry_on_says_so(played):
    summary, _, run = played["wanted"]
    assert summary["failed"] == len(ODD)
    assert [(attempt.lane, sorted(attempt.model_inputs)) for attempt in run.job_attempts[1:]] == [
        ("on_demand", sorted(ODD))
    ]
    assert run.output["status"] == "completed"
    assert_rows_kept(run, topic_table(COUNT, FIRST))
    assert_own_answers(run)
    assert {row["attempts"] for row in rows_with_odd_answers(run.rows)} == {2}
    assert run.summary["retried"] == len(ODD)
    assert_answered_once_on_demand(run)


def test_otherwise_the_rows_name_the_problem(played):
    summary, rows, run = played["usual"]
    assert summary["failed"] == run.summary["failed"] == len(ODD)
    assert len(run.job_attempts) == 1
    assert run.rows.equals(rows)
    errors = [row["error"] for row in rows_with_odd_answers(run.rows)]
    assert ["format" in error for error in errors] == [True, True, False]
    assert "no answer" in errors[2]
    assert set(run.rows["attempts"].to_pylist()) == {1}
