"""Every problem of a pipeline is found before its first stage starts, and named with its place."""

import json
import uuid
from typing import Any

import pytest

from stack.deployed import CLAUDE
from stack.inputs import csv_text, topic_table
from stack.pictures import png


def good() -> dict:
    """Three stages over pictures, as in the clothing pipeline."""
    return {
        "pipeline_name": "bad",
        "stages": [
            {
                "stage_name": "look",
                "model_id": CLAUDE,
                "job_name_prefix": "bad-look",
                "input_s3_uri": "{pictures}",
                "input_type": "image",
                "prompt_config": {"mode": "single", "prompt_id": "classify_clothing_category"},
            },
            {
                "stage_name": "describe",
                "model_id": CLAUDE,
                "job_name_prefix": "bad-describe",
                "use_previous_output": True,
                "input_type": "image",
                "prompt_config": {"mode": "mapped", "column_name": "category"},
                "category_to_prompt_mapping": {"shorts": "extract_shorts_metadata", "shoes": "extract_shoes_metadata"},
            },
            {
                "stage_name": "list",
                "model_id": CLAUDE,
                "job_name_prefix": "bad-list",
                "use_previous_output": True,
                "prompt_id": "generate_product_listing",
                "column_mappings": {"metadata": "response"},
            },
        ],
    }


# By name: changes, by the path of what they change (None: take it away), and what the cause must hold. `{…}`: addresses.
CASES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown-prompt": (
        {"stages.0.prompt_config.prompt_id": "classify_cloth_category"},
        (
            "stages[0].prompt_config.prompt_id is `classify_cloth_category`",
            "prompt template of this name does not exist",
            "did you mean `classify_clothing_category`",
        ),
    ),
    "unknown-rule": (
        {
            "stages.1.category_to_prompt_mapping": None,
            "stages.1.prompt_config": {
                "mode": "expanded",
                "category_column": "category",
                "expansion_mapping": {"shoes": "detailed_analysis"},
            },
        },
        (
            "stages[1].prompt_config.expansion_mapping.shoes is `detailed_analysis`",
            "expansion rule of this name does not exist",
            "detailed_",
        ),
    ),
    "rule-as-prompt": (
        {"stages.2.prompt_id": "detailed_clothing_analysis"},
        ("stages[2].prompt_id is `detailed_clothing_analysis`", "is an expansion rule"),
    ),
    "mapping-to-no-prompt": (
        {"stages.1.category_to_prompt_mapping.shoes": "extract_shoe_metadata"},
        (
            "stages[1].category_to_prompt_mapping.shoes is `extract_shoe_metadata`",
            "did you mean `extract_shoes_metadata`",
        ),
    ),
    "mapped-column-not-there": (
        {"stages.1.category_to_prompt_mapping": None, "stages.1.prompt_config.column_name": "kind"},
        ("stages[1].prompt_config.column_name", "does not have the column `kind`", "`category`", "`confidence`"),
    ),
    "mapping-of-no-column": (
        {"stages.2.column_mappings": {"metadata": "answer"}},
        ("stages[2].column_mappings.metadata is `answer`", "this column does not exist", "`response`"),
    ),
    "placeholder-without-column": (
        {"stages.2.column_mappings": None},
        ("stages[2], column `metadata`", "generate_product_listing", "needs this column", "`look_response`"),
    ),
    "previous-of-nothing": (
        {"stages.0.use_previous_output": True, "stages.0.input_s3_uri": None},
        ("stages[0].use_previous_output", "has no previous stage"),
    ),
    "neither-source": (
        {"stages.1.use_previous_output": None},
        ("stages[1].input_s3_uri", "exactly one of this and `use_previous_output: true` is required"),
    ),
    "both-sources": (
        {"stages.1.input_s3_uri": "{pictures}"},
        ("stages[1].input_s3_uri", "cannot be combined with use_previous_output", "leave one of them out"),
    ),
    "one-name-twice": (
        {"stages.2.stage_name": "look"},
        ("stages[2].stage_name is `look`", "is already the name of stages[0]"),
    ),
    "one-prefix-twice": (
        {"stages.2.job_name_prefix": "bad_look"},
        ("stages[2].job_name_prefix is `bad_look`", "`bad-look`", "stages[0]"),
    ),
    "empty-prefix": (
        {"stages.0.input_s3_uri": "{nowhere}"},
        ("stages[0].input_s3_uri is `{nowhere}`", "no object under this prefix", "upload images"),
    ),
    "prefix-without-images": (
        {"stages.0.input_s3_uri": "{texts}"},
        ("stages[0].input_s3_uri is `{texts}`", "contains no image by its name"),
    ),
    "placeholder-of-the-account": (
        {"stages.0.input_s3_uri": "s3://batch-inference-bucket-YOUR_ACCOUNT_ID/inputs/clothing-images/"},
        ("stages[0].input_s3_uri", "still contains the placeholder YOUR_ACCOUNT_ID", "12 digits"),
    ),
    "bucket-of-others": (
        {"stages.0.input_s3_uri": "s3://somebody-else/pictures/"},
        ("stages[0].input_s3_uri is `s3://somebody-else/pictures/`", "`inputBuckets`"),
    ),
    "model-without-eyes": (
        {"stages.1.model_id": "amazon.nova-micro-v1:0"},
        (
            "stages[1].model_id is `amazon.nova-micro-v1:0`",
            "does not accept images",
            "choose a model that accepts images",
        ),
    ),
    "unknown-model": (
        {"stages.2.model_id": "gpt-4"},
        ("stages[2].model_id is `gpt-4`", "supported are"),
    ),
    "no-image-column": (
        {"stages.1.image_column": "photo"},
        ("stages[1].image_column is `photo`", "does not have this column", "`image_path`"),
    ),
    "links-for-ever": (
        {"presigned_url_expiry_days": 91},
        ("presigned_url_expiry_days is `91`", "from 1 to 90"),
    ),
    "no-links": ({"presigned_url_expiry_days": 0}, ("presigned_url_expiry_days is `0`", "from 1 to 90")),
    "no-stage": ({"stages": []}, ("stages", "a list of 1 to 20 stages")),
    "no-name": ({"pipeline_name": None}, ("pipeline_name", "is required")),
    "unknown-field": ({"stages.1.modle_id": "x"}, ("stages[1].modle_id", "did you mean `model_id`")),
    "unknown-field-of-all": ({"pipline_name": "x"}, ("pipline_name", "did you mean `pipeline_name`")),
    "field-of-runs": ({"stages.0.s3_uri": "{pictures}"}, ("stages[0].s3_uri", "`input_s3_uri`")),
    "failed-of-nothing": ({"stages.0.include_failed": True}, ("stages[0].include_failed", "use_previous_output")),
    "rows-without-column": (
        {
            "stages.0.input_s3_uri": "{rows}",
            "stages.0.input_type": None,
            "stages.0.prompt_config.prompt_id": "question_answering",
        },
        ("stages[0], column `source`", "question_answering", "the columns are `topic`"),
    ),
    "all-at-once": (
        {
            "stages.0.max_num_jobs": 0,
            "stages.0.prompt_config.prompt_id": "nothing",
            "stages.1.model_id": "amazon.nova-micro-v1:0",
            "stages.2.stage_name": "look",
            "stages.2.inference": {"temperature": 7},
            "foo": 1,
        },
        (
            "6 problems, nothing was submitted",
            "stages[0].max_num_jobs is `0`",
            "stages[0].prompt_config.prompt_id is `nothing`",
            "stages[1].model_id",
            "stages[2].stage_name is `look`",
            "stages[2].inference.temperature is `7`",
            "foo",
        ),
    ),
}
# What no single field is to blame for; `{…}`: addresses of objects.
WHOLE = {
    "no-object": ([1], ("must be a JSON object",)),
    "a-run": ({"s3_uri": "{rows}", "job_name_prefix": "x", "model_id": CLAUDE}, ("stages", "pipeline_name")),
    "too-large": (
        {"pipeline_name": "x" * 205_000, "stages": []},
        ("the execution input", "200 KiB", '{{"config_s3_uri": "s3://bucket/key"}}'),
    ),
    "no-json": ({"config_s3_uri": "{broken}"}, ("config_s3_uri is `{broken}`", "is not valid JSON", "line 2")),
    "no-object-in-s3": ({"config_s3_uri": "{list}"}, ("config_s3_uri is `{list}`", "must be a JSON object")),
    "nothing-in-s3": ({"config_s3_uri": "{missing}"}, ("config_s3_uri is `{missing}`", "this object does not exist")),
    "more-beside": ({"config_s3_uri": "{good}", "stages": []}, ("config_s3_uri", "there are also `stages`")),
    "bad-in-s3": ({"config_s3_uri": "{bad}"}, ("stages[0].model_id is `gpt-4`", "supported are")),
}


def changed(config: dict, path: str, value) -> None:
    *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place = config
    for step in way:
        place = place[step]
    if value is None:
        place.pop(last, None)
    else:
        place[last] = json.loads(json.dumps(value))


def filled(value, addresses: dict[str, str]):
    if isinstance(value, str):
        return addresses.get(value, value) if value.startswith("{") else value
    if isinstance(value, list):
        return [filled(one, addresses) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, addresses) for name, one in value.items()}
    return value


def play(stack):
    folder = f"inputs/{uuid.uuid4().hex}/"
    for number in range(3):
        stack.put(f"{folder}pictures/{number}.png", png(f"shoes {number}"))
    stack.put(f"{folder}texts/a.txt", b"no picture")
    addresses = {
        "{pictures}": f"s3://{stack.bucket}/{folder}pictures/",
        "{nowhere}": f"s3://{stack.bucket}/{folder}nowhere/",
        "{texts}": f"s3://{stack.bucket}/{folder}texts/",
        "{rows}": stack.put(f"{folder}rows.csv", csv_text(topic_table(120))),
        "{broken}": stack.put(f"{folder}broken.json", b'{"pipeline_name": "x",\n oops}'),
        "{list}": stack.put(f"{folder}list.json", b"[]"),
        "{missing}": f"s3://{stack.bucket}/{folder}missing.json",
    }
    sound = filled(good(), addresses)
    bad = json.loads(json.dumps(sound))
    bad["stages"][0]["model_id"] = "gpt-4"
    addresses["{good}"] = stack.put(f"{folder}good.json", json.dumps(sound))
    addresses["{bad}"] = stack.put(f"{folder}bad.json", json.dumps(bad))
    inputs, expected = {}, {}
    for name, (changes, says) in CASES.items():
        config = good()
        for path, value in changes.items():
            changed(config, path, value)
        inputs[f"bad-{name}"], expected[name] = filled(config, addresses), says
    for name, (given, says) in WHOLE.items():
        inputs[f"bad-{name}"], expected[name] = filled(given, addresses), says
    pipelines = stack.play_pipelines(inputs)
    # The one that all others are made from is sound.
    sound["stages"] = [stage | {"requests_per_second": 500} for stage in sound["stages"]]
    pipelines["sound"] = stack.play_pipeline(sound, "sound")
    names = {mark.strip("{}"): address for mark, address in addresses.items()}
    said = {name: [words.format(**names) for words in says] for name, says in expected.items()}
    return pipelines, said


@pytest.mark.parametrize("name", [*CASES, *WHOLE])
def test_the_pipeline_fails_and_says_why(played, name):
    pipelines, said = played
    error, cause = pipelines[f"bad-{name}"].failure()
    assert error == "InvalidInput", cause
    assert [words for words in said[name] if words not in cause] == [], cause


@pytest.mark.parametrize("name", [*CASES, *WHOLE])
def test_nothing_was_submitted(stack, played, name):
    pipelines, _ = played
    pipeline = pipelines[f"bad-{name}"]
    pipeline.failure()
    assert stack.keys(f"runs/{pipeline.name}") == []
    assert [job for job in stack.simulator.jobs() if pipeline.name in job["inputS3Uri"]] == []


def test_no_stage_was_started(stack, played):
    pipelines, _ = played
    pages = stack.step_functions.get_paginator("list_executions").paginate(stateMachineArn=stack.state_machine)
    runs = [execution["name"] for page in pages for execution in page["executions"]]
    bad = tuple(pipeline.name for name, pipeline in pipelines.items() if name != "sound")
    assert [run for run in runs if run.startswith(bad)] == []
    assert [run for run in runs if run.startswith(pipelines["sound"].name)], "they would be found"


def test_the_pipeline_behind_the_cases_is_valid(played):
    pipelines, _ = played
    assert pipelines["sound"].output["status"] == "completed"


def test_a_problem_is_reported_once(played):
    """Also where one thing that is wrong could make others look wrong."""
    pipelines, _ = played
    # Without its columns, the stages after it lack theirs.
    alone = [name for name in CASES if name not in ("all-at-once", "rows-without-column")]
    more = {name: pipelines[f"bad-{name}"].failure()[1] for name in alone}
    assert {name: cause for name, cause in more.items() if "problems, nothing was submitted" in cause} == {}


def test_the_email_lists_all_problems(played):
    pipelines, said = played
    email = pipelines["bad-all-at-once"].email
    assert email.subject == "[bedrock-batch] Pipeline bad has failed"
    assert (email.value("where"), email.value("error")) == ("before the first stage", "InvalidInput")
    assert [words for words in said["all-at-once"] if words not in email.text] == [], email.text
    assert "No stage was complete before it." in email.text
