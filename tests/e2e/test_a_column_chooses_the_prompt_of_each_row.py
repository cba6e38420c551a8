"""`mapped`: a column names the prompt of each row, or a value that is mapped to one; rows without a prompt say why."""

import json

import pyarrow as pa
import pytest

from stack.inputs import csv_text, topics
from stack.prompts import answer_texts, filled, sent_texts

COUNT = 130
# In turn: what the column says, and which prompt that is.
NAMES = [
    ("joke_about_topic", "joke_about_topic"),
    (" Sentiment_Classifier ", "sentiment_classifier"),
    ("QUESTION_ANSWERING", "question_answering"),
    ("classify_product", "classify_product"),
    ("joke_about_topics", None),
    ("", None),
    # A rule, which is for several prompts a row.
    ("comprehensive_product_review", None),
]
KINDS = [("Fun", "joke_about_topic"), ("mood ", "sentiment_classifier"), ("facts", None), ("", None)]
MAPPING = {"fun": "joke_about_topic", "MOOD": "sentiment_classifier"}


def table(column, values):
    texts = topics(COUNT)
    chosen = [values[number % len(values)][0] for number in range(COUNT)]
    same = dict.fromkeys(("topic", "source", "input_text", "product_name", "description"), texts)
    return pa.table({**same, column: chosen})


def play(stack):
    def run(column, values, **fields):
        quick = {"requests_per_second": 300}
        return stack.joke(stack.put_input(csv_text(table(column, values))), prompt_id=None, **quick, **fields)

    def mapped(column):
        return {"mode": "mapped", "column_name": column}

    inside = {"prompt_config": mapped("kind") | {"category_to_prompt_mapping": MAPPING}}
    default = MAPPING | {"default": "question_answering"}
    return stack.play_all(
        {
            "by-name": run("which", NAMES, prompt_config=mapped("which"), output_formats=["parquet", "csv"]),
            "by-value": run("kind", KINDS, prompt_config=mapped("kind"), category_to_prompt_mapping=MAPPING),
            "by-value-inside": run("kind", KINDS, **inside),
            # As the Python sample does: the column is not there, and `category` is looked up.
            "by-category": run("category", KINDS, prompt_config=mapped("to_be"), category_to_prompt_mapping=MAPPING),
            "with-default": run("kind", KINDS, prompt_config=mapped("kind"), category_to_prompt_mapping=default),
        }
    )


def expected(values, default=None):
    return [values[number % len(values)][1] or default for number in range(COUNT)]


CASES = {
    "by-name": ("which", expected(NAMES)),
    "by-value": ("kind", expected(KINDS)),
    "by-value-inside": ("kind", expected(KINDS)),
    "by-category": ("category", expected(KINDS)),
    "with-default": ("kind", expected(KINDS, "question_answering")),
}


@pytest.mark.parametrize("name", CASES)
def test_each_row_is_sent_with_its_own_prompt(played, name):
    run, (_, prompts) = played[name], CASES[name]
    rows = run.rows.to_pylist()
    assert [row["prompt_id"] for row in rows] == prompts
    assert [row["topic"] for row in rows] == topics(COUNT)
    sent, answers = sent_texts(run), answer_texts(run)
    for row in rows:
        if row["prompt_id"] is not None:
            record_id = sent.pop(filled(row["prompt_id"], row))
            assert record_id == row["record_id"]
            assert (row["error"], row["response"]) == (None, answers[record_id])
    assert sent == {}, "nothing else was sent"


@pytest.mark.parametrize("name", CASES)
def test_rows_without_a_prompt_say_why(played, name):
    run, (column, prompts) = played[name], CASES[name]
    left = [row for row in run.rows.to_pylist() if row["prompt_id"] is None]
    assert len(left) == prompts.count(None) == run.summary["failed"]
    for row in left:
        assert (row["response"], row["attempts"], row["model_id"]) == (None, 0, None)
        assert row["error"].startswith("not sent: ") and f"`{column}`" in row["error"], row["error"]
        assert (row[column] or "is empty") in row["error"], row["error"]
    assert run.output["status"] == ("completed_with_errors" if left else "completed")
    assert len(run.summary["failed_reasons"]) <= len(NAMES)


def test_fields_of_all_prompts_are_columns_of_every_row(played):
    run = played["by-name"]
    names = run.rows.column_names
    at = names.index("response")
    assert names[at + 1 : at + 4] == ["category", "confidence", "reasoning"]
    assert names[-1] == "prompt_id"
    for row in run.rows.to_pylist():
        fields = (row["category"], row["confidence"], row["reasoning"])
        if row["prompt_id"] == "classify_product":
            said = json.loads(row["response"])
            assert fields == (said["category"], said["confidence"], said["reasoning"])
        else:
            assert fields == (None, None, None)


def test_csv_says_the_same(played):
    run = played["by-name"]
    assert [row["prompt_id"] or None for row in run.csv_rows] == run.rows["prompt_id"].to_pylist()
    assert [row["error"] or None for row in run.csv_rows] == run.rows["error"].to_pylist()
