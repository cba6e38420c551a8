"""A generated prompt, `prompts.json` with the schema of its answers: in S3, or on the machine that starts the run."""

import json
import uuid
from pathlib import Path

import pyarrow as pa
import pytest

from stack.checks import text_of_output
from stack.command_line import command_line
from stack.inputs import csv_text
from stack.prompts import sent_texts
from stack.run import Run

COUNT = 120
REPOSITORY = Path(__file__).resolve().parents[2]
# Not in the order of the alphabet: the columns have the order of the schema.
TOPICS = ["delivery", "return", "product"]
MOODS = ["good", "bad"]
SYSTEM = "You read notes. {Braces} stay."
FORM = '{"topic": "delivery|return|product", "mood": "good|bad"}'


def prompts() -> str:
    """As other generators write it: with single braces, of which only the listed names are placeholders."""
    text = "Read this note.\n\n<note>\n{input_data}\n</note>\n\nAnswer with this JSON: " + FORM
    return json.dumps({"system_prompt": SYSTEM, "user_prompt_template": text, "input_placeholders": ["input_data"]})


def schema(fields: dict) -> str:
    properties = {name: {"type": "string", "enum": values} for name, values in fields.items()}
    config = {"format_type": "structured_json", "response_model_name": "Note", "validation_level": "standard"}
    return json.dumps(
        {"type": "object", "properties": properties, "required": list(fields), "processing_config": config}
    )


def notes():
    return pa.table({"note": [f"Generated note {number} says {{input_data}} and more." for number in range(COUNT)]})


def play(stack):
    uri = stack.put_input(csv_text(notes()))
    folder = f"inputs/{uuid.uuid4().hex}"
    stack.put(f"{folder}/templates/prompts.json", prompts())
    # The newer one is written first.
    newest = stack.put(
        f"{folder}/schema/validation_schema_20261130_083109.json", schema({"topic": TOPICS, "mood": MOODS})
    )
    stack.put(f"{folder}/schema/validation_schema_20261129_235959.json", schema({"old": ["a"]}))
    root = f"s3://{stack.bucket}/{folder}"
    generated = {
        "prompt_id": None,
        "prompt_templates": f"{root}/templates/",
        "validation_schema": f"{root}/schema/",
        "input_data_column": "note",
    }
    inputs = {
        "generated": stack.joke(uri, **generated),
        "mistakes": stack.joke(
            uri,
            **generated | {"prompt_templates": newest, "validation_schema": f"{root}/templates/", "max_num_jobs": 0},
        ),
    }
    runs = stack.play_all(inputs)
    # The files are generated again, and the run is resumed with the input that it was started with, and with another one.
    stack.put(f"{folder}/templates/prompts.json", "{}")
    runs["resumed"] = stack.resume(runs["generated"], **inputs["generated"]).wait()
    runs["other"] = stack.resume(runs["generated"], **inputs["generated"] | {"validation_schema": newest}).wait()
    return runs


def test_each_row_is_sent_with_the_generated_prompt(played):
    run = played["generated"]
    assert (run.summary["answered"], run.summary["warnings"]) == (COUNT, {})
    expected = {
        f"Read this note.\n\n<note>\n{note}\n</note>\n\nAnswer with this JSON: {FORM}"
        for note in notes()["note"].to_pylist()
    }
    assert set(sent_texts(run)) == expected
    assert {model_input["system"] for model_input in run.records.values()} == {SYSTEM}


def test_properties_of_the_newest_schema_become_columns(played):
    run = played["generated"]
    names = ["record_id", "note", "response", "topic", "mood", "error"]
    assert run.rows.column_names[: len(names)] == names
    for row in run.rows.to_pylist():
        said = json.loads(text_of_output(run.answers[row["record_id"]]["modelOutput"])[0])
        assert {"topic": row["topic"], "mood": row["mood"]} == said


def test_the_plan_says_where_the_prompt_comes_from(played):
    plan = played["generated"].plan
    description = plan["prompts"]["prompts"][0]["prompt"]["description"]
    assert "/templates/prompts.json, with answers as in " in description
    assert "validation_schema_20261130_083109.json" in description


def test_a_run_is_resumed_with_its_frozen_prompt(played):
    assert played["resumed"].status == "SUCCEEDED"
    assert played["resumed"].summary["answered"] == COUNT
    error, cause = played["other"].failure()
    assert (error, "the run had another input: prompt_config differ" in cause) == ("InvalidInput", True), cause


@pytest.mark.parametrize(
    "says",
    [
        "max_num_jobs is `0`",
        "prompt_templates, user_prompt_template of s3://",
        "this folder contains no `validation_schema_<time>.json`",
    ],
)
def test_all_mistakes_are_reported_at_once(played, says):
    run = played["mistakes"]
    error, cause = run.failure()
    assert (error, run.jobs) == ("InvalidInput", [])
    assert says in cause, cause


def test_start_uploads_generated_files(stack, tmp_path):
    bedrock_batch = command_line(stack)
    configs = REPOSITORY / "prompt-configs/support-tickets"
    bedrock_batch("prompts", "generate", configs, "--out", tmp_path / "generated")
    request = {
        "s3_uri": str(REPOSITORY / "tests/fixtures/support_tickets.csv"),
        "job_name_prefix": "generated",
        "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "prompt_templates": "generated/templates",
        "validation_schema": "generated/schema",
        "max_records_total": COUNT,
    }
    (tmp_path / "run.json").write_text(json.dumps(request))
    assert "no problems" in bedrock_batch("validate", tmp_path / "run.json").stdout
    name = f"generated-{uuid.uuid4().hex[:8]}"
    bedrock_batch("start", tmp_path / "run.json", "--name", name, "--wait")
    run = Run(stack, name)
    fields = ["category", "confidence", "key_evidence", "reasoning"]
    assert run.rows.column_names[-10:-6] == fields
    config = run.plan["request"]["prompt_config"]
    assert config["prompt_templates"].startswith(f"s3://{stack.bucket}/inputs/")
    assert config["prompt_templates"].endswith("/prompts.json")
    template = json.loads((tmp_path / "generated/templates/prompts.json").read_text())["user_prompt_template"]
    sent = run.plan["prompts"]["prompts"][0]["prompt"]["template"]
    assert sent == template.replace("{input_data}", "{input_text}")
