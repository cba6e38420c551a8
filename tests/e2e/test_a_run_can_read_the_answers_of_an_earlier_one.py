"""`previous_run`: the answered rows of a run are the input of another, with all columns and all files."""

import datetime

import pyarrow as pa
import pytest

from stack.inputs import csv_text, parquet_bytes, topic_table
from stack.pipeline import read_together
from stack.prompts import filled
from stack.waiting import wait_for

COUNT = 230


def products():
    numbers = range(COUNT)
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return pa.table(
        {
            "product_name": [f"thing {number}" for number in numbers],
            "description": [f"It is no. {number}" for number in numbers],
            "price": pa.array([number / 4 for number in numbers], pa.float64()),
            "stock": pa.array([number if number % 3 else None for number in numbers], pa.int32()),
            "sold": pa.array([number % 2 == 0 for number in numbers]),
            "since": pa.array([day + datetime.timedelta(days=number) for number in numbers], pa.timestamp("us", "UTC")),
            # A column of the user's own that answers need the name of.
            "response": [f"own {number}" for number in numbers],
        }
    )


def play(stack):
    def earlier(run, stage="first"):
        return {"run_id": run.run_id, "stage_name": stage}

    classify = {"prompt_id": "classify_product", "max_records_per_job": 100, "requests_per_second": 500}
    rows = stack.put_input(parquet_bytes(products()), "rows.parquet")
    rules = {"default": "detailed_clothing_analysis"}
    expanded = {"mode": "expanded", "category_column": "sold", "expansion_mapping": rules}
    firsts = stack.play_all(
        {
            "first": stack.joke(rows, **classify),
            "first-csv": stack.joke(rows, **classify, output_formats=["csv"]),
            "first-long": stack.joke(
                rows,
                prompt_id=None,
                prompt_config=expanded,
                max_num_jobs=1,
                deduplicate=False,
                # They are prompts for images.
                allow_constant_prompt=True,
            ),
            "first-fails": stack.joke("s3://somebody-else/rows.csv"),
        }
    )
    patient = {"processing_mode": "realtime", "requests_per_second": 0.1, "max_workers": 1}
    slow = stack.start(stack.joke(stack.put_input(csv_text(topic_table(20))), **patient), "first-slow")
    wait_for("the plan of the slow run", lambda: stack.keys(f"runs/{slow.run_id}/plan.json"))
    first = firsts["first"]
    reads = {
        "second": stack.joke(
            None, previous_run=earlier(first), prompt_id="joke_about_topic", column_mappings={"topic": "reasoning"}
        ),
        "second-of-csv": stack.joke(
            None, previous_run=earlier(firsts["first-csv"]), column_mappings={"topic": "reasoning"}
        ),
        "second-of-long": stack.joke(
            None, previous_run=earlier(firsts["first-long"]), column_mappings={"topic": "response"}
        ),
        "not-over": stack.joke(None, previous_run=earlier(slow), column_mappings={"topic": "response"}),
        "failed": stack.joke(None, previous_run=earlier(firsts["first-fails"])),
        "unknown": stack.joke(None, previous_run={"run_id": "no-such-run", "stage_name": "first"}),
        "no-column": stack.joke(None, previous_run=earlier(first), column_mappings={"topic": "reason"}),
        "no-topic": stack.joke(None, previous_run=earlier(first)),
        "with-source": stack.joke(rows, previous_run=earlier(first), column_mappings={"topic": "reasoning"}),
        "not-named": stack.joke(None, previous_run={"stage_name": "first"}),
    }
    runs = stack.play_all(reads)
    slow.stop()
    third = stack.joke(None, previous_run=earlier(runs["second"], "second"), column_mappings={"topic": "response"})
    return firsts | runs | {"third": stack.play(third, "third")}


def test_every_row_of_every_file_is_passed_on_with_all_columns(played):
    first, second = read_together(played["first"]), read_together(played["second"])
    assert len(played["first"].output["output_paths"]) == 3, "several files"
    assert played["second"].summary["records_in"] == COUNT
    before = first.sort_by("record_id")
    after = second.sort_by("record_id")
    assert after["record_id"].to_pylist() == [f"r{position:09}" for position in range(COUNT)]
    clashes = ["response", "error", "stop_reason", "input_tokens", "output_tokens", "attempts", "model_id"]
    for name in before.column_names:
        # Columns of the run before get its name as a prefix; columns of the user whose names are not needed stay.
        new = {"reasoning": "topic"}.get(name, f"first_{name}" if name in clashes else name)
        assert after[new].to_pylist() == before[name].to_pylist(), name
        assert after.schema.field(new).type == before.schema.field(name).type, name
    assert "input_response" in after.column_names


def test_numbers_stay_numbers(played):
    second = read_together(played["second"])
    for name in ("price", "stock", "sold", "since"):
        assert second.schema.field(name).type == products().schema.field(name).type, name
        assert second.sort_by("record_id")[name].to_pylist() == products()[name].to_pylist(), name
    assert second.schema.field("confidence").type == pa.float64()


def test_renamed_columns_fill_the_prompt(played):
    run = played["second"]
    rows = {row["record_id"]: row for row in read_together(run).to_pylist()}
    for record_id, model_input in run.records.items():
        text = model_input["messages"][0]["content"][0]["text"]
        assert text == filled("joke_about_topic", rows[record_id])


def test_csv_files_can_be_read_too(played):
    rows = read_together(played["second-of-csv"]).sort_by("record_id")
    assert rows["product_name"].to_pylist() == products()["product_name"].to_pylist()
    assert rows["price"].to_pylist() == [str(price) for price in products()["price"].to_pylist()]
    assert rows["error"].null_count == COUNT


def test_a_chain_keeps_the_names_of_all_its_runs(played):
    third = read_together(played["third"]).sort_by("record_id")
    second = read_together(played["second"]).sort_by("record_id")
    assert third["topic"].to_pylist() == second["response"].to_pylist()
    assert third["first_response"].to_pylist() == second["first_response"].to_pylist()
    assert third["second_model_id"].to_pylist() == second["model_id"].to_pylist()
    # The name was taken by the mapping, so the older column made room.
    # The name was taken by the mapping, so the older column made room; it was made by the first run.
    assert third["first_topic"].to_pylist() == second["topic"].to_pylist()


def test_a_row_with_one_line_per_prompt_is_sent_once_per_prompt(played):
    first, second = (read_together(played[name]).to_pylist() for name in ("first-long", "second-of-long"))
    assert len(second) == len(first) == 3 * len({row["product_name"] for row in first})

    def key(row):
        return row["product_name"], row["prompt_id"]

    responses = {key(row): row["response"] for row in first}
    assert len(responses) == len(first)
    assert {key(row): row["topic"] for row in second} == responses
    assert {row["error"] for row in second} == {None}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("not-over", ("previous_run.run_id", "first-slow", "has not finished")),
        ("failed", ("previous_run.run_id", "first-fails", "this run does not exist")),
        ("unknown", ("previous_run.run_id", "`no-such-run`", "this run does not exist")),
        ("no-column", ("column_mappings", "no column `reason`", "`reasoning`")),
        ("no-topic", ("column `topic`", "joke_about_topic", "`reasoning`")),
        ("with-source", ("s3_uri, previous_run", "only one of them may name the rows")),
        ("not-named", ("previous_run.run_id", "is required")),
    ],
)
def test_a_previous_run_that_cannot_be_read_is_refused(played, name, says):
    run = played[name]
    error, cause = run.failure()
    assert error == "InvalidInput"
    assert [words for words in says if words not in cause] == [], cause
    assert run.jobs == [] and run.items == []
