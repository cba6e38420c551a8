"""A prompt with an `output_schema`: the fields of each answer are columns, of one type in all files."""

import json

import pyarrow as pa

from stack.checks import text_of_output
from stack.inputs import csv_text

PRODUCTS = ("a tent for two", "hiking boots", "a kettle", "ein Schlafsack", "寝袋", "a rain jacket")
FIELDS = {"category": pa.string(), "confidence": pa.float64(), "reasoning": pa.string()}


def products(count):
    names = [f"{PRODUCTS[number % len(PRODUCTS)]} no. {number}" for number in range(count)]
    descriptions = [f'Says "light {{and}} dry", weighs {number} g' for number in range(count)]
    return pa.table({"product_name": names, "description": descriptions})


def play(stack):
    def started(**fields):
        uri = stack.put_input(csv_text(products(250)))
        return stack.joke(uri, prompt_id="classify_product", max_records_per_job=125, requests_per_second=300, **fields)

    return stack.play_all(
        {
            "fields": started(),
            "fields-in-csv": started(output_formats=["parquet", "csv"]),
            "fields-cut-off": started(inference={"max_tokens": 5}, max_retry_rounds=0),
            "fields-cut-off-again": started(inference={"max_tokens": 5}, retry_on=["unparsed"], max_retry_rounds=1),
        }
    )


def test_each_field_is_a_column_after_the_answer(played):
    run = played["fields"]
    assert run.summary["answered"] == 250
    names = ["record_id", "product_name", "description", "response", *FIELDS, "error"]
    assert run.rows.column_names[: len(names)] == names
    for row in run.rows.to_pylist():
        said = json.loads(text_of_output(run.answers[row["record_id"]]["modelOutput"])[0])
        assert {name: row[name] for name in FIELDS} == {name: said[name] for name in FIELDS}


def test_all_files_have_one_schema(played):
    first, second = played["fields"].tables
    assert first.schema == second.schema
    assert {name: first.schema.field(name).type for name in FIELDS} == FIELDS


def test_csv_holds_them_too(played):
    run = played["fields-in-csv"]
    in_csv = {row["record_id"]: row["category"] for row in run.csv_rows}
    assert in_csv == dict(zip(*(run.rows[name].to_pylist() for name in ("record_id", "category")), strict=True))


def test_an_answer_without_its_fields_keeps_its_text_and_says_why(played):
    run = played["fields-cut-off"]
    assert run.output["status"] == "completed_with_errors"
    assert run.summary["failed_reasons"] == {"answer cut off at the token limit": 250}
    for row in run.rows.to_pylist():
        assert row["response"] is not None and row["category"] is None
        assert "max_tokens" in row["error"] and row["attempts"] == 1


def test_it_is_retried_if_retry_on_says_so(played):
    run = played["fields-cut-off-again"]
    assert run.summary["retried"] == 250 and run.summary["rounds"] == 2
    assert set(run.rows["attempts"].to_pylist()) == {2}
