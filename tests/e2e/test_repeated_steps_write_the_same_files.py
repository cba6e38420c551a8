"""A function that is invoked again, as after a crash or a lost answer, writes the same bytes and counts nothing
twice."""

from itertools import chain

import pytest

from stack.checks import assert_whole
from stack.contract import PREFIXES, function_name
from stack.inputs import csv_text, topic_table

COUNT = 230
SIZES = [115, 115]


def play(stack):
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    execution_input = stack.joke(uri, max_records_per_job=120, output_formats=["parquet", "csv"])
    run = stack.play(execution_input, "repeated")
    return run, execution_input


def files(run) -> dict[str, bytes]:
    prefix = run.plan["request"]["job_name_prefix"]
    folders = [f"{PREFIXES['RUNS']}/{run.name}/"]
    # Listing the whole bucket each time would take longer than all the rest.
    folders += [
        f"{PREFIXES[name]}/{prefix}/{run.name}/" for name in ("ANSWERS", "INPUT_ROWS", "JOB_INPUTS", "JOB_OUTPUTS")
    ]
    keys = [run.stack.keys(folder) for folder in folders]
    assert all(keys), "each folder has files"
    return {key: run.stack.read(f"s3://{run.stack.bucket}/{key}") for key in chain.from_iterable(keys)}


@pytest.fixture
def before(played):
    run, _ = played
    return files(run)


def test_preprocess(stack, played, before):
    run, execution_input = played
    started_at = run.plan["started_at"]
    about = {"action": "start", "execution_name": run.name, "execution_arn": run.arn, "started_at": started_at}
    for has_plan in (True, False):
        # With a plan, the start has finished; without one, it is done again.
        if not has_plan:
            stack.s3.delete_object(Bucket=stack.bucket, Key=f"runs/{run.name}/plan.json")
        step = stack.invoke(function_name("preprocess"), {**about, "input": execution_input})
        assert (step["step"], step["run_id"], step["manifest_key"]) == (
            "process_jobs",
            run.name,
            f"runs/{run.name}/jobs.json",
        )
        assert files(run) == before


def test_postprocess(stack, played, before):
    run, _ = played
    items = run.items
    for job in run.json("jobs.json"):
        stack.invoke(function_name("postprocess"), {"run_id": run.name, "execution_arn": run.arn, "job": job})
    assert files(run) == before
    assert [item["counts"] for item in run.items] == [item["counts"] for item in items]


def test_finalize(stack, played, before):
    run, _ = played
    payload = {"action": "summarize", "run_id": run.name}
    assert stack.invoke(function_name("finalize"), payload) == run.output
    assert files(run) == before


def test_the_run_is_as_whole_as_before(played):
    run, _ = played
    assert_whole(run, topic_table(COUNT), SIZES)
