"""A prompt with a `response_schema` alone: its properties are typed columns; a prefix names all added columns."""

import json
from collections import Counter

import pyarrow as pa
import pytest

from stack.checks import text_of_output
from stack.inputs import csv_text
from stack.local import REPOSITORY

COUNT = 220
EXAMPLE = json.loads((REPOSITORY / "pipeline-configs" / "ticket-fields.json").read_text("utf-8"))
FIELDS = {
    "topic": pa.string(),
    "urgency": pa.int64(),
    "summary": pa.string(),
    "customer_mood": pa.string(),
    "customer_wants_reply": pa.bool_(),
    "next_steps": pa.string(),
    "products": pa.list_(pa.string()),
}
STATUS = ["status", "error", "validation_passed", "parse_status"]
HAIKU_4_5 = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
KINDS = ["pants", "shirt", "shoes"]


def tickets():
    texts = [f"Ticket {number} about a rain jacket" for number in range(COUNT)]
    return pa.table({"input_text": texts, "prompt": ["plain"] * COUNT})


def example(uri: str, **fields) -> dict:
    """The example, with its rows replaced."""
    given = {name: value for name, value in EXAMPLE.items() if name != "$schema"}
    return {**given, "s3_uri": uri, **fields}


def kinds_prompt(form: str, **schema) -> dict:
    """A prompt that shows one form and checks by another one."""
    form = form.replace("{", "{{").replace("}", "}}")
    kind = {"enum": KINDS, "x-aliases": {"trousers": "pants"}, **schema}
    return {
        "description": "The kind of a piece.",
        "template": f"What is this?\n\n<d>\n{{input_text}}\n</d>\n\nAnswer with this JSON: {form}",
        "response_schema": {"type": "object", "additionalProperties": False, "properties": {"kind": kind}},
    }


def play(stack):
    uri = stack.put_input(csv_text(tickets()))
    own = stack.joke(uri, prompt_id=None)
    plain = {"description": "d", "template": "Say something about {input_text}"}
    inputs = {
        "example": example(uri, output_formats=["parquet", "csv"]),
        "replaced": {**own, "prompt": kinds_prompt('{"kind": "TROUSERS|Shirt|shoes"}')},
        "outside": {**own, "prompt": kinds_prompt('{"kind": "hat|shoes"}'), "max_retry_rounds": 0},
        "text": {**own, "prompt": kinds_prompt('{"kind": "pants|shoes"}'), "response_format": "text"},
        "json": {**own, "prompt": plain, "response_format": "json", "max_retry_rounds": 0},
        # The prompt shows no form: only the schema that is sent can make the model answer by it.
        "enforced": {
            **own,
            "prompt": {**kinds_prompt('{"kind": "x"}'), "template": "What is {input_text}?"},
            "model_id": HAIKU_4_5,
            "enforce_schema": True,
            "processing_mode": "realtime",
            "max_records_total": 20,
            "requests_per_second": 300,
        },
        "refused": example(uri, enforce_schema=True, model_id="openai.gpt-oss-20b-1:0"),
        "named": {
            **own,
            "prompt_config": {"mode": "mapped", "column_name": "prompt"},
            "prompts": {"plain": plain, "unused": kinds_prompt('{"kind": "shoes"}')},
            "response_format": "structured",
        },
    }
    played = stack.play_all(inputs)
    previous = {"run_id": played["example"].run_id, "stage_name": "first"}
    later = {
        "model_id": own["model_id"],
        "job_name_prefix": "e2e",
        "previous_run": previous,
        "prompt": {"description": "d", "template": "{llm_topic}: {llm_summary}"},
    }
    later |= {"output_column_prefix": "llm_", "requests_per_second": 300}
    return played | stack.play_all({"later": later})


def test_every_property_is_a_column_of_its_type(played):
    run = played["example"]
    assert run.summary["answered"] == COUNT
    names = ["record_id", "input_text", "prompt", "llm_response", *(f"llm_{name}" for name in FIELDS)]
    assert run.rows.column_names[: len(names) + 4] == names + [f"llm_{name}" for name in STATUS]
    assert {name: run.rows.schema.field(f"llm_{name}").type for name in FIELDS} == FIELDS
    for row in run.rows.to_pylist():
        said = json.loads(text_of_output(run.answers[row["record_id"]]["modelOutput"])[0])
        assert (row["llm_topic"], row["llm_urgency"], row["llm_products"]) == (
            said["topic"],
            said["urgency"],
            said["products"],
        )
        assert row["llm_customer_mood"] == said["customer"]["mood"]
        assert row["llm_customer_wants_reply"] is said["customer"]["wants_reply"]
        assert json.loads(row["llm_next_steps"]) == said["next_steps"]
        assert [row[f"llm_{name}"] for name in STATUS] == ["success", None, True, "success"]


def test_csv_has_the_same_columns(played):
    run = played["example"]
    assert list(run.csv_rows[0]) == run.rows.column_names


def test_values_that_stand_for_an_allowed_one_are_replaced_and_counted(played):
    run = played["replaced"]
    assert run.summary["answered"] == COUNT
    said = Counter(json.loads(row["response"])["kind"] for row in run.rows.to_pylist())
    assert set(run.rows["kind"].to_pylist()) <= set(KINDS)
    assert run.summary["changed_values"] == {"kind": said["TROUSERS"] + said["Shirt"]}
    assert said["TROUSERS"] and said["Shirt"]


def test_a_value_outside_its_enum_fails_its_row(played):
    run = played["outside"]
    hats = sum(json.loads(row["response"])["kind"] == "hat" for row in run.rows.to_pylist())
    assert 0 < hats < COUNT
    assert run.summary["failed_codes"] == {"schema_mismatch": hats}
    assert run.rows["kind"].null_count == hats


@pytest.mark.parametrize(("name", "answered"), [("text", COUNT), ("json", 0)])
def test_the_format_decides_what_counts_as_an_answer(played, name, answered):
    run = played[name]
    assert (run.summary["answered"], "kind" in run.rows.column_names) == (answered, False)


def test_an_enforced_schema_makes_the_model_answer_by_it(played):
    run = played["enforced"]
    assert run.summary["answered"] == 20
    assert set(run.rows["kind"].to_pylist()) <= set(KINDS)


@pytest.mark.parametrize(
    "says",
    [
        "model_id is `openai.gpt-oss-20b-1:0`: is not known to have structured outputs",
        "prompt `prompt`, response_schema.properties.urgency.minimum: is a keyword that Bedrock does not accept",
        "prompt `prompt`, response_schema.additionalProperties: must be false",
    ],
)
def test_a_schema_that_cannot_be_enforced_is_refused_before_anything_is_submitted(played, says):
    run = played["refused"]
    error, cause = run.failure()
    assert (error, run.jobs) == ("InvalidInput", [])
    assert says in cause, cause


def test_prompts_that_rows_name_must_have_fields_too(played):
    error, cause = played["named"].failure()
    assert error == "InvalidInput"
    assert "response_format is `structured`: the prompts `plain` define no fields" in cause, cause


def test_a_later_run_reads_columns_with_a_prefix(played):
    run = played["later"]
    assert run.summary["answered"] == COUNT
    names = {"first_llm_response", "llm_response", "llm_topic", "first_llm_status", "llm_status"}
    assert names <= set(run.rows.column_names)
