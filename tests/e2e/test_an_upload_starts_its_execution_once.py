"""`trigger/<configuration>/<file>` and `trigger/<name>.json`: an upload starts one execution, however often its event
is delivered; an upload that cannot start one gets the reasons beside the file and in an email."""

import json
import uuid
from functools import partial
from typing import Any

import pytest

from stack.deployed import CLAUDE, JOKE
from stack.inputs import csv_text, topic_table
from stack.local import REPOSITORY
from stack.pipeline import Pipeline
from stack.run import Run
from stack.uploads import FUNCTION, Uploads, executions_of
from stack.waiting import wait_for

PRODUCTS = (REPOSITORY / "tests" / "fixtures" / "products.csv").read_bytes()


def play(stack):
    mark = uuid.uuid4().hex[:8]
    run = {"job_name_prefix": "uploaded", "model_id": CLAUDE, "prompt_id": JOKE}
    run["s3_uri"] = stack.put_input(csv_text(topic_table(110)))
    stage = {name: run[name] for name in ("model_id", "prompt_id")}
    pipeline: dict[str, Any] = {
        "pipeline_name": "uploaded",
        "stages": [stage | {"stage_name": "only", "job_name_prefix": "uploaded", "input_s3_uri": run["s3_uri"]}],
    }
    # Over the 200 KiB that can be passed directly.
    mapping = {f"value {number} {'x' * 200}": JOKE for number in range(1000)}
    large: dict[str, Any] = {name: value for name, value in run.items() if name != "prompt_id"}
    large |= {
        "prompt_config": {"mode": "mapped", "column_name": "topic"},
        "category_to_prompt_mapping": mapping | {"default": JOKE},
    }
    uploads = {
        "products": (f"trigger/product-review-expanded/2026/{mark}-products.csv", PRODUCTS),
        "run": (f"trigger/{mark}-run.json", json.dumps(run)),
        "pipeline": (f"trigger/{mark}-pipeline.json", "\ufeff" + json.dumps(pipeline, indent=2)),
        "large": (f"trigger/{mark}-large.json", json.dumps(large)),
        "unknown": (f"trigger/product-reviews-expanded/{mark}-unknown.csv", PRODUCTS),
        "broken": (f"trigger/{mark}-broken.json", '{"job_name_prefix": "x",\n oops}'),
        "list": (f"trigger/{mark}-list.json", "[1, 2]"),
        "stray": (f"trigger/{mark}-stray.csv", PRODUCTS),
        "refused": (f"trigger/{mark}-refused.json", json.dumps(run | {"model_id": "gpt-4"})),
        "folder": (f"trigger/{mark}-folder/", b""),
    }
    with Uploads(stack) as heard:
        for key, body in uploads.values():
            stack.put(key, body)
        events = {name: heard.event_of(key) for name, (key, _) in uploads.items()}
        for name in ("unknown", "broken", "list", "stray"):
            key = f"{uploads[name][0]}.error.json"
            wait_for(key, partial(stack.keys, key))
            events[f"{name}-error"] = heard.event_of(key)
    started = {}
    for name in ("products", "run", "pipeline", "large", "refused"):
        # There may be many executions to look through.
        look = partial(executions_of, stack, f"{mark}-{name}")
        (arn,) = wait_for(f"the execution of {name}", look, pause=0.5)
        kind = Pipeline if ":bedrock-pipeline-orchestrator" in arn else Run
        started[name] = kind(stack, arn.rsplit(":", 1)[1])
    # While they run, and when they are over.
    again = {name: [stack.invoke(FUNCTION, events[name])] for name in started}
    for name, execution in started.items():
        execution.wait()
        later = events[name] | {"id": str(uuid.uuid4()), "time": "2027-01-01T00:00:00Z"}
        again[name].append(stack.invoke(FUNCTION, later))
    return mark, {name: key for name, (key, _) in uploads.items()}, events, started, again


STARTED = ["products", "run", "pipeline", "large", "refused"]
WRONG = {
    "unknown": ("configuration", "`product-reviews-expanded`", "did you mean `product-review-expanded`"),
    "broken": ("is not valid JSON", "line 2", "upload it again"),
    "list": ("contains a list", "JSON object"),
    "stray": ("directly under trigger/", "trigger/<configuration>/<file>"),
}


@pytest.mark.parametrize("name", STARTED)
def test_the_same_event_again_starts_nothing_more(stack, played, name):
    mark, _, _, started, again = played
    assert again[name] == [{"started": started[name].name}] * 2
    assert executions_of(stack, f"{mark}-{name}") == [started[name].arn]


def test_a_configuration_reads_the_upload(stack, played):
    _, keys, events, started, _ = played
    pipeline = started["products"]
    assert pipeline.output["pipeline_name"] == "product-review-expanded"
    (run,) = pipeline.stages.values()
    assert run.plan["request"]["s3_uri"] == f"s3://{stack.bucket}/{keys['products']}"
    assert run.plan["request"]["s3_etag"] == events["products"]["detail"]["object"]["etag"].strip('"')
    assert set(pipeline.rows["product_id"].to_pylist()) == {
        line.split(",")[0] for line in PRODUCTS.decode().splitlines()[1:] if line.startswith("P-")
    }
    assert pipeline.email.subject.endswith("has completed")


def test_an_uploaded_run_is_a_run_and_an_uploaded_pipeline_is_one(played):
    _, _, _, started, _ = played
    assert started["run"].summary["answered"] == 110
    assert started["pipeline"].output["stages"][0]["answered"] == 110
    assert [type(started[name]) for name in ("run", "pipeline")] == [Run, Pipeline]


def test_an_input_that_is_too_large_is_passed_by_its_address(stack, played):
    _, keys, _, started, _ = played
    run = started["large"]
    uri = f"s3://{stack.bucket}/{keys['large']}"
    etag = stack.s3.head_object(Bucket=stack.bucket, Key=keys["large"])["ETag"].strip('"')
    assert json.loads(run.end["input"]) == {"config_s3_uri": uri, "config_s3_etag": etag}
    assert run.summary["answered"] == 110


def test_the_content_of_an_input_is_checked_by_the_execution(stack, played):
    _, keys, _, started, _ = played
    error, cause = started["refused"].failure()
    assert (error, "`gpt-4`" in cause) == ("InvalidInput", True)
    assert stack.keys(f"{keys['refused']}.error.json") == []
    assert started["refused"].run_id in stack.mailbox.about(started["refused"].run_id).text


@pytest.mark.parametrize("name", WRONG)
def test_an_upload_that_cannot_start_says_why_beside_it(stack, played, name):
    mark, keys, _, _, _ = played
    key = keys[name]
    told = json.loads(stack.read(f"s3://{stack.bucket}/{key}.error.json"))
    assert (told["key"], told["error"]) == (key, "InvalidInput")
    (problem,) = told["problems"]
    assert [words for words in WRONG[name] if words not in problem] == [], problem
    assert executions_of(stack, f"{mark}-{name}") == []


@pytest.mark.parametrize("name", WRONG)
def test_an_upload_that_cannot_start_is_reported_by_email(stack, played, name):
    _, keys, _, _, _ = played
    (email,) = stack.mailbox.all_about(keys[name].rsplit("/", 1)[1].rsplit(".", 1)[0])
    assert email.subject.endswith("started nothing")
    assert f"s3://{stack.bucket}/{keys[name]}.error.json" in email.text
    assert [words for words in WRONG[name] if words not in email.text] == [], email.text


@pytest.mark.parametrize("name", [*(f"{name}-error" for name in WRONG), "folder"])
def test_error_files_and_folders_start_nothing(stack, played, name):
    _, _, events, _, _ = played
    answer = stack.invoke(FUNCTION, events[name])
    assert list(answer) == ["ignored"], answer
    key = events[name]["detail"]["object"]["key"]
    assert [found for found in stack.keys(key) if found != key] == []


def test_the_same_file_uploaded_again_is_another_upload(stack, played):
    mark, keys, _, started, _ = played
    body = stack.read(f"s3://{stack.bucket}/{keys['run']}")
    with Uploads(stack) as heard:
        stack.put(keys["run"], body)
        assert heard.event_of(keys["run"])

    def look():
        return set(executions_of(stack, f"{mark}-run")) - {started["run"].arn}

    (other,) = wait_for("the second execution", look, pause=0.5)
    assert Run(stack, other.rsplit(":", 1)[1]).wait().summary["answered"] == 110
