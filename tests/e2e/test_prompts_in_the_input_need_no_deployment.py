"""A prompt in the execution input: as `prompt` for all rows, or in `prompts` by name, with expansion rules."""

import json
from collections import Counter

import pyarrow as pa
import pytest

from stack.checks import text_of_output
from stack.inputs import csv_text
from stack.pipeline import read_together
from stack.prompts import sent_texts

COUNT = 220
# Not in the order of the alphabet: the columns have the order of the prompt.
FIELDS = ["topic", "mood", "answer"]
FORM = '{"topic": "delivery|return|product", "mood": "good|bad", "answer": "one sentence"}'
DEFAULT = {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"default": "both"}}


def prompt(text: str, fields=FIELDS, form: str = FORM) -> dict:
    braces = form.replace("{", "{{").replace("}", "}}")
    schema = {"type": "json", "fields": {name: f"$.{name}" for name in fields}}
    template = f"{text}\n\n<note>\n{{note}}\n</note>\n\nAnswer with this JSON: {braces}"
    return {"description": "A prompt of one's own.", "template": template, "output_schema": schema}


def notes():
    kinds = ["new", "old"]
    texts = [f"Note {number} says {{braces}} and more." for number in range(COUNT)]
    return pa.table({"note": texts, "kind": [kinds[number % 2] for number in range(COUNT)]})


def text_of(text: str, note: str, form: str = FORM) -> str:
    return f"{text}\n\n<note>\n{note}\n</note>\n\nAnswer with this JSON: {form}"


def play(stack):
    uri = stack.put_input(csv_text(notes()))
    rule = {"description": "Two prompts.", "expansion_rule": True, "prompts": ["look", "sentiment_classifier"]}
    look = prompt("Look at this note.")
    inputs = {
        "inline": stack.joke(uri, prompt_id=None, prompt=prompt("Read this note.")),
        # The prompt of the stack with this name reads the column `topic`, which these rows do not have.
        "replaced": stack.joke(uri, prompts={"joke_about_topic": prompt("Joke about this note.")}),
        "expanded": stack.joke(
            uri,
            prompt_id=None,
            prompt_config=DEFAULT,
            prompts={"both": rule, "look": {**look, "template": look["template"].replace("{note}", "{input_text}")}},
            column_mappings={"input_text": "note"},
        ),
        "mistakes": stack.joke(
            uri,
            prompt_id=None,
            prompt={"description": "d", "template": '{"label": "x"} {Note}', "output_schema": {"type": "xml"}},
            prompts={"triage": {"description": "d", "template": "t", "tempalte": "t"}},
        ),
        "near": stack.joke(uri, prompt_id=None, prompt={"description": "d", "template": "{Note}"}),
    }
    return stack.play_all(inputs)


def test_each_row_is_sent_with_the_prompt_of_the_input(played):
    run = played["inline"]
    assert (run.summary["answered"], run.summary["warnings"]) == (COUNT, {})
    expected = {text_of("Read this note.", note) for note in notes()["note"].to_pylist()}
    assert set(sent_texts(run)) == expected


def test_fields_become_columns_in_their_order(played):
    run = played["inline"]
    names = ["record_id", "note", "kind", "response", *FIELDS, "error"]
    assert run.rows.column_names[: len(names)] == names
    for row in run.rows.to_pylist():
        said = json.loads(text_of_output(run.answers[row["record_id"]]["modelOutput"])[0])
        assert {name: row[name] for name in FIELDS} == said


def test_the_plan_holds_the_prompt(played):
    plan = played["inline"].plan
    assert [named["prompt"]["template"] for named in plan["prompts"]["prompts"]] == [
        prompt("Read this note.")["template"]
    ]


def test_a_prompt_that_replaces_one_of_the_stack_is_a_warning(played):
    run = played["replaced"]
    assert run.summary["answered"] == COUNT
    assert all(text.startswith("Joke about this note.") for text in sent_texts(run))
    assert run.summary["warnings"] == {"prompts of the input that replace different ones of the stack": 1}


def test_a_rule_of_the_input_sends_several_prompts(played):
    run = played["expanded"]
    rows = read_together(run).to_pylist()
    assert Counter(row["prompt_id"] for row in rows) == {"look": COUNT, "sentiment_classifier": COUNT}
    texts = sent_texts(run)
    for row in rows:
        assert row["error"] is None
        if row["prompt_id"] == "look":
            assert text_of("Look at this note.", row["input_text"]) in texts
            assert {name: row[name] for name in FIELDS} == json.loads(row["response"])


@pytest.mark.parametrize(
    "says",
    [
        'prompt.template is `{"label": "x"} {Note}`: has a placeholder',
        "write `{{` for a brace",
        "prompt.output_schema.type is `xml`: must be `json` or `regex`",
        "prompt.output_schema.fields: is required",
        "prompts.triage.tempalte: is not a field of this input; did you mean `template`?",
    ],
)
def test_all_mistakes_are_reported_at_once(played, says):
    run = played["mistakes"]
    error, cause = run.failure()
    assert (error, run.jobs) == ("InvalidInput", [])
    assert says in cause, cause


def test_a_near_column_is_reported_with_the_line_to_copy(played):
    error, cause = played["near"].failure()
    assert error == "InvalidInput"
    assert '"column_mappings": {"Note": "note"}' in cause, cause
