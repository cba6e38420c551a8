"""Recorded answers, from the samples of real Bedrock output where they are present."""

import json
import os
from pathlib import Path

import pytest

import jobs
from conftest import end, start_simulator

SAMPLES = Path(os.environ.get("BEDROCK_BATCH_SAMPLES", "(unset)")) / "clothing"
MODELS = {
    "stage_1_output.jsonl": "anthropic.claude-3-haiku-20240307-v1:0",
    "stage_2_output.jsonl": "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
}

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"BEDROCK_BATCH_SAMPLES names no folder of recorded answers: {SAMPLES}"
)


@pytest.fixture(scope="module", params=["fake", "error"])
def replaying(request, local_aws):
    arguments = ["--backend", "replay", "--recordings", str(SAMPLES), "--replay-miss", request.param]
    # The models that were recorded have reached their end of life since.
    for model in MODELS.values():
        arguments += ["--alive", model.removeprefix("us.")]
    process, simulator = start_simulator(local_aws, *arguments)
    try:
        yield request.param, simulator
    finally:
        end(process)


@pytest.mark.parametrize("name", MODELS)
def test_each_stage_replays_its_own_model(replaying, s3, name):
    on_miss, simulator = replaying
    bedrock = simulator.client("bedrock")
    recorded = [json.loads(line) for line in (SAMPLES / name).read_text().splitlines()]
    records = [{"recordId": line["recordId"], "modelInput": line["modelInput"]} for line in recorded]
    records.append({"recordId": "new", "modelInput": jobs.claude_body("Nobody asked this before.")})
    uri = jobs.put_lines(s3, f"replay/{on_miss}/{name}", records)
    job = jobs.finish(bedrock, jobs.create(bedrock, uri, modelId=MODELS[name], jobName=f"replay-{name[6]}"))
    assert job["status"] == "Completed"
    lines = {line["recordId"]: line for line in jobs.output(s3, job, name)[0]}
    new = lines.pop("new")
    assert ("error" in new) == (on_miss == "error")
    assert {key: line["modelOutput"] for key, line in lines.items()} == {
        line["recordId"]: line["modelOutput"] for line in recorded
    }
