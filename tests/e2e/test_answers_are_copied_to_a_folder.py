"""`output_uri`: the answered files and the summary of a run, in a folder of the user's choice."""

import json

import pyarrow as pa

from stack.contract import function_name
from stack.deployed import unique
from stack.inputs import csv_text, topics

COUNT = 240


def play(stack):
    # Twenty rows equal earlier ones: they have a file of their own.
    table = pa.table({"topic": [*topics(COUNT - 20), *topics(20)]})
    uri = stack.put_input(csv_text(table))
    folder = f"copies/{unique('all')}/"
    fields = {"output_uri": f"s3://{stack.bucket}/{folder}", "output_formats": ["csv", "parquet"]}
    run = stack.play(stack.joke(uri, max_records_per_job=120, **fields), "copied")
    assert run.output
    return run, folder


def copies(run, folder: str) -> dict[str, bytes]:
    prefix = f"{folder}{run.run_id}/"
    found = run.stack.keys(folder)
    assert all(key.startswith(prefix) for key in found), "each run has a folder of its own"
    return {key.removeprefix(prefix): run.stack.read(f"s3://{run.stack.bucket}/{key}") for key in found}


def test_every_answered_file_is_copied_under_its_name(played):
    run, folder = played
    files = {path.rsplit("/", 1)[1]: run.stack.read(path) for path in run.output["output_paths"]}
    assert {"0000.csv", "0000.parquet", "duplicates-0000.csv"} <= set(files)
    copied = copies(run, folder)
    summary = copied.pop("summary.json")
    assert copied == files
    assert json.loads(summary) == run.output


def test_the_output_names_the_folder(played):
    run, folder = played
    assert run.output["copied_to"] == f"s3://{run.stack.bucket}/{folder}{run.run_id}/"
    assert run.output["output_prefix"] != run.output["copied_to"]


def test_a_repeated_step_writes_the_same_copies(played):
    run, folder = played
    before = copies(run, folder)
    run.stack.invoke(function_name("finalize"), {"action": "summarize", "run_id": run.run_id})
    assert copies(run, folder) == before
