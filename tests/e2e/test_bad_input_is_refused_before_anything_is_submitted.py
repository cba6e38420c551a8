"""Each entry of "Bad input": the run fails as `InvalidInput`, with a helpful message, and no job was ever created."""

from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from stack.deployed import JOKE
from stack.inputs import csv_text, parquet_bytes, topic_table, topics

TITAN = "amazon.titan-embed-text-v2:0"
GOOD = csv_text(topic_table(120))
PROMPTS = ("joke_about_topic", "question_answering", "sentiment_classifier")


@dataclass
class Case:
    """`files`: objects to store, by name; the input is the first one, or the folder if there are several. `says`: texts that
    the cause must contain: field, value, rule and remedy. In both, `{uri}` is replaced by the input's address."""

    says: tuple[str, ...]
    fields: dict = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=lambda: {"rows.csv": GOOD})


def with_ids(ids: list, kind=None) -> pa.Table:
    return pa.table({"record_id": pa.array(ids, kind), "topic": topics(len(ids))})


def line(number: int, cell: bytes) -> bytes:
    """A good CSV in which this line is another."""
    lines = GOOD.split(b"\n")
    lines[number - 1] = cell
    return b"\n".join(lines)


CASES = {
    # --- where the rows are ---
    "neither-source": Case(("s3_uri", "is required", "or previous_run", "s3://bucket/path"), {"s3_uri": None}),
    "both-sources": Case(
        ("s3_uri, previous_run", "only one of them may name the rows"),
        {"previous_run": {"run_id": "earlier", "stage_name": "first"}},
    ),
    "dataset-beside-rows": Case(
        ("s3_uri, dataset_id", "only one of them may name the rows"), {"dataset_id": "acme/rows"}
    ),
    "no-such-run": Case(
        ("previous_run.run_id", "`never-was`", "this run does not exist"),
        {"s3_uri": None, "previous_run": {"run_id": "never-was"}},
    ),
    "dataset-with-a-path": Case(
        ("dataset_id", "acme/../rows", "is not a valid dataset id"), {"s3_uri": None, "dataset_id": "acme/../rows"}
    ),
    "split-of-nothing": Case(("split", "is only allowed with dataset_id", "leave it out"), {"split": "train"}),
    "no-address": Case(("s3_uri", "`topics.csv`", "must look like `s3://bucket/path`"), {"s3_uri": "topics.csv"}),
    "no-such-object": Case(
        ("s3_uri", "inputs/nowhere.csv", "this object does not exist", "upload"),
        {"s3_uri": "s3://{bucket}/inputs/nowhere.csv"},
    ),
    "prefix-of-markers": Case(
        ("s3_uri", "{uri}", "no object under this prefix", "upload"), {}, {"_SUCCESS": b"", ".a": b""}
    ),
    "empty-object": Case(("s3_uri", "{uri}", "is empty"), {}, {"rows.csv": b""}),
    "bucket-of-others": Case(
        ("s3_uri", "s3://somebody-else/rows.csv", "may read the buckets {bucket} only", "inputBuckets"),
        {"s3_uri": "s3://somebody-else/rows.csv"},
    ),
    "copies-into-a-bucket-of-others": Case(
        ("output_uri", "s3://somebody-else/a/", "may write to the buckets {bucket} only", "outputBuckets"),
        {"output_uri": "s3://somebody-else/a/"},
    ),
    "copies-among-files-of-the-stack": Case(
        ("output_uri", "s3://{bucket}/trigger/", "for its own files", "choose another prefix"),
        {"output_uri": "s3://{bucket}/trigger/"},
    ),
    # --- what the files are ---
    "other-format": Case(
        ("s3_uri", "{uri}", "not a table by its name", "save it as Excel Workbook"), {}, {"rows.xls": GOOD}
    ),
    "json-of-a-list": Case(("s3_uri", "{uri}", "not a table by its name", "jq -c"), {}, {"rows.json": b"[]"}),
    "json-over-lines": Case(
        ("{uri} line 1", "does not end on its line", "jq -c"), {}, {"rows.jsonl": b'{\n"topic": 1\n}\n' * 120}
    ),
    "two-formats": Case(
        ("s3_uri", "several formats: CSV, Parquet", "split it"),
        {},
        {"a.csv": GOOD, "b.parquet": parquet_bytes(topic_table(120))},
    ),
    "two-schemas": Case(
        ("b.csv", "has none of the columns of", "`subject`", "`topic`", "are one table"),
        {},
        {"a.csv": GOOD, "b.csv": GOOD.replace(b"topic", b"subject", 1)},
    ),
    "no-parquet": Case(("{uri}", "cannot be read as Parquet"), {}, {"rows.parquet": GOOD}),
    "ragged-row": Case(
        ("{uri} line 76", "has 1 fields", "header has 2", "double quotes"),
        {},
        # Lines of the file, not rows: 1 + 37 * 2 are before it.
        {"rows.csv": b"topic,note\n" + b'one,"two\nlines"\n' * 37 + b"alone\n" + b"one,two\n" * 100},
    ),
    "no-utf8": Case(
        ("{uri} line 50", "not valid UTF-8", "iconv"), {}, {"rows.csv": line(50, "Grüße".encode("latin-1"))}
    ),
    "quotes-that-would-be-lost": Case(
        ("{uri} line 50", "text after a closing quote", "csv.lenient"), {}, {"rows.csv": line(50, b'"Deluxe" edition')}
    ),
    "workbook-named-csv": Case(
        ("{uri}", "an Excel workbook", "name it `.xlsx`"), {}, {"rows.csv": b"PK\x03\x04" + GOOD}
    ),
    "sheet-of-csv": Case(("sheet", "the input is CSV", "leave it out"), {"sheet": "Data"}, {"rows.csv": GOOD}),
    "csv-named-workbook": Case(("{uri}", "not an Excel workbook", "name it `.csv`"), {}, {"rows.xlsx": GOOD}),
    "header-twice": Case(
        ("{uri} line 50", "is the header again"), {}, {"rows.csv": b"topic,n\n" + b"a,1\n" * 48 + b"topic,n\n" * 2}
    ),
    "damaged-gzip": Case(("{uri}", "cannot be decompressed as gzip"), {}, {"rows.csv.gz": b"\x1f\x8b\x08\x00" + GOOD}),
    "csv-options-of-parquet": Case(
        ("csv", "the input is Parquet", "leave it out"),
        {"csv": {"delimiter": ";"}},
        {"rows.parquet": parquet_bytes(topic_table(120))},
    ),
    "csv-options": Case(("csv.delimiter", "`||`", "must be one ASCII character"), {"csv": {"delimiter": "||"}}),
    "header-only": Case(("{uri}", "a header, but no rows"), {}, {"rows.csv": b"topic\n"}),
    "header-only-parquet": Case(("{uri}", "no rows"), {}, {"rows.parquet": parquet_bytes(topic_table(0))}),
    "column-twice": Case(
        ("{uri} line 1", "`topic`", "occurs twice", "rename"),
        {},
        {"rows.csv": b"topic,n,topic\n" + b"a,1,b\n" * 120},
    ),
    # --- prompt, columns, model ---
    "unknown-prompt": Case(
        (
            "prompt_id",
            "`joke_about_topics`",
            "prompt template of this name does not exist",
            "did you mean `joke_about_topic`",
        ),
        {"prompt_id": "joke_about_topics"},
    ),
    "unlike-any-prompt": Case(
        ("prompt_id", "`zzz`", "prompt template of this name does not exist", *PROMPTS), {"prompt_id": "zzz"}
    ),
    "no-prompt": Case(("prompt_id", "is required for a text model", *PROMPTS), {"prompt_id": None}),
    "prompt-for-embeddings": Case(
        ("prompt_id", JOKE, "does not accept prompts", "leave it out"),
        {"model_id": TITAN},
        {"rows.csv": GOOD.replace(b"topic", b"input_text", 1)},
    ),
    "placeholder-without-column": Case(
        ("column `topic`", JOKE, "needs this column", "the columns are `subject`"),
        {},
        {"rows.csv": GOOD.replace(b"topic", b"subject", 1)},
    ),
    "no-text-to-embed": Case(
        ("column `input_text`", "embedding models read this column", "the columns are `topic`"),
        {"model_id": TITAN, "prompt_id": None},
    ),
    "unknown-model": Case(
        (
            "model_id",
            "`cohere.embed-english-v3`",
            "batch inference",
            "supported are",
            "amazon.nova-lite-",
            "model-overrides",
        ),
        {"model_id": "cohere.embed-english-v3"},
    ),
    "profile-of-another-region": Case(
        ("model_id", "requests in us-east-1 cannot use", "use `us.anthropic.claude-haiku-4-5-20251001-v1:0`"),
        {"model_id": "eu.anthropic.claude-haiku-4-5-20251001-v1:0"},
    ),
    "profile-of-the-account": Case(
        ("model_id", "does not identify its model", "the ARN goes into inference_profile_arn"),
        {"model_id": "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/abc"},
    ),
    "dead-model": Case(
        ("model_id", "end of life at Bedrock on 2026-04-30", "use `us.anthropic.claude-sonnet-4-5-20250929-v1:0`"),
        {"model_id": "us.anthropic.claude-3-7-sonnet-20250219-v1:0"},
    ),
    "beginning-of-a-model": Case(
        ("model_id", "only the beginning", "did you mean `us.anthropic.claude-haiku-4-5-20251001-v1:0`?"),
        {"model_id": "us.anthropic.claude-haiku-4-5"},
    ),
    "other-prompt-mode": Case(
        ("prompt_config.mode", "`random`", "`single`, `mapped` or `expanded`"),
        {"prompt_id": None, "prompt_config": {"mode": "random"}},
    ),
    "mapped-by-nothing": Case(
        ("prompt_config.column_name", "is required"), {"prompt_id": None, "prompt_config": {"mode": "mapped"}}
    ),
    "two-prompts": Case(
        ("prompt_id", "prompt_config", "one of them"),
        {"prompt_config": {"mode": "single", "prompt_id": "question_answering"}},
    ),
    "mapping-to-no-prompt": Case(
        (
            "category_to_prompt_mapping.good",
            "`joke`",
            "prompt template of this name does not exist",
            "did you mean `joke_about_topic`",
        ),
        {
            "prompt_id": None,
            "prompt_config": {"mode": "mapped", "column_name": "topic"},
            "category_to_prompt_mapping": {"good": "joke"},
        },
    ),
    "mapped-column-not-there": Case(
        ("prompt_config.column_name", "does not have the column `kind`", "the columns are `topic`"),
        {"prompt_id": None, "prompt_config": {"mode": "mapped", "column_name": "kind"}},
    ),
    "mapping-without-its-mode": Case(
        ("category_to_prompt_mapping", "`mapped`"), {"category_to_prompt_mapping": {"good": JOKE}}
    ),
    "unknown-rule": Case(
        (
            "prompt_config.expansion_mapping.good",
            "`detailed_analysis`",
            "expansion rule of this name does not exist",
            "detailed_clothing",
        ),
        {
            "prompt_id": None,
            "prompt_config": {
                "mode": "expanded",
                "category_column": "topic",
                "expansion_mapping": {"good": "detailed_analysis"},
            },
        },
    ),
    "rule-as-prompt": Case(
        ("prompt_id", "`detailed_clothing_analysis`", "is an expansion rule", "`expanded`"),
        {"prompt_id": "detailed_clothing_analysis"},
    ),
    "category-column-not-there": Case(
        ("prompt_config.category_column", "`kind`", "does not have this column", "the columns are `topic`"),
        {
            "prompt_id": None,
            "prompt_config": {
                "mode": "expanded",
                "category_column": "kind",
                "expansion_mapping": {"default": "detailed_clothing_analysis"},
            },
        },
    ),
    "other-layout": Case(
        ("expanded_layout", "`tall`", "`long` or `wide`"),
        {
            "prompt_id": None,
            "prompt_config": {
                "mode": "expanded",
                "category_column": "topic",
                "expansion_mapping": {"default": "detailed_clothing_analysis"},
            },
            "expanded_layout": "tall",
        },
    ),
    # --- values ---
    "no-job": Case(("max_num_jobs", "`0`", "whole number from 1"), {"max_num_jobs": 0}),
    "no-record": Case(("max_records_total", "`-5`", "whole number from 1"), {"max_records_total": -5}),
    "huge-jobs": Case(("max_records_per_job", "`100001`", "from 1 to 100000"), {"max_records_per_job": 100_001}),
    "number-as-text": Case(("max_concurrent_jobs", '`"5"`', "whole number"), {"max_concurrent_jobs": "5"}),
    "too-hot": Case(("inference.temperature", "`1.5`", "from 0 to 1"), {"inference": {"temperature": 1.5}}),
    "long-answer": Case(
        ("inference.max_tokens", "`64001`", "at most 64000, the longest answer"), {"inference": {"max_tokens": 64_001}}
    ),
    "stop-at-line-breaks": Case(
        ("inference.stop_sequences", "only white space", "leave it out"), {"inference": {"stop_sequences": ["\n"]}}
    ),
    "prefill-ends-in-white-space": Case(
        ("inference.prefill", "ends in white space", "remove the spaces"), {"inference": {"prefill": "{\n"}}
    ),
    # --- prompts that are the same for all rows ---
    "no-placeholder": Case(
        ("prompt `prompt`", "shows no column", "such as `{topic}`", "allow_constant_prompt"),
        {"prompt_id": None, "prompt": {"description": "d", "template": "Tell a joke."}},
    ),
    "doubled-braces": Case(
        ("prompt `prompt`", "shows `{{topic}}`", "write `{topic}` with single braces"),
        {"prompt_id": None, "prompt": {"description": "d", "template": "Tell a joke about {{topic}}."}},
    ),
    "near-column-in-system": Case(
        ("prompt `prompt`, system", "shows `{Topic}`", "write `{topic}`"),
        {"prompt_id": None, "prompt": {"description": "d", "template": "About {topic}", "system": "Use {Topic}"}},
    ),
    "format-of-a-placeholder": Case(
        ("column `topic:.2f`", "write `{topic}`: a placeholder is the name of a column"),
        {"prompt_id": None, "prompt": {"description": "d", "template": "About {topic:.2f}"}},
    ),
    "no-token": Case(("inference.max_tokens", "`0`", "from 1 to"), {"inference": {"max_tokens": 0}}),
    "odd-dimensions": Case(
        ("inference.dimensions", "`300`", "must be one of [1024, 512, 256]"),
        {"model_id": TITAN, "prompt_id": None, "inference": {"dimensions": 300}},
        {"rows.csv": GOOD.replace(b"topic", b"input_text", 1)},
    ),
    "other-output": Case(("output_formats", "`xlsx`", "only `parquet` and `csv`"), {"output_formats": ["xlsx"]}),
    "no-boolean": Case(("infer_types", '`"yes"`', "true or false"), {"infer_types": "yes"}),
    "unknown-field": Case(("modle_id", "not a field", "did you mean `model_id`"), {"modle_id": "x"}),
    "unknown-parameter": Case(
        ("inference.max_token", "not a field", "did you mean `max_tokens`"), {"inference": {"max_token": 5}}
    ),
    "prefix-of-nothing": Case(
        ("job_name_prefix", "`__日本__`", "at least one of a-z, A-Z, 0-9"), {"job_name_prefix": "__日本__"}
    ),
    "no-prefix": Case(("job_name_prefix", "is required"), {"job_name_prefix": None}),
    "other-input": Case(("input_type", "`video`", "`text` or `image`"), {"input_type": "video"}),
    "no-image-column": Case(
        ("image_column", "`image_path`", "does not have this column", "the columns are `topic`"),
        {"input_type": "image"},
    ),
    "model-without-eyes": Case(
        ("model_id", "`amazon.nova-micro-v1:0`", "does not accept images", "choose a model that accepts images"),
        {"input_type": "image", "model_id": "amazon.nova-micro-v1:0"},
    ),
    "links-for-ever": Case(
        ("presigned_url_expiry_days", "`91`", "whole number from 1 to 90"), {"presigned_url_expiry_days": 91}
    ),
    # --- options of requests ---
    "other-mode": Case(("processing_mode", "`fast`", "`auto`, `batch` or `realtime`"), {"processing_mode": "fast"}),
    "no-worker": Case(("max_workers", "`0`", "whole number from 1 to 100"), {"max_workers": 0}),
    "many-workers": Case(("max_workers", "`101`", "whole number from 1 to 100"), {"max_workers": 101}),
    "no-request": Case(("requests_per_second", "`0`", "from 0.1 to 1000"), {"requests_per_second": 0}),
    "many-requests": Case(("requests_per_second", "`1001`", "from 0.1 to 1000"), {"requests_per_second": 1001}),
    "many-rounds": Case(("max_retry_rounds", "`11`", "whole number from 0 to 10"), {"max_retry_rounds": 11}),
    "half-a-round": Case(("max_retry_rounds", "`0.5`", "whole number"), {"max_retry_rounds": 0.5}),
    "other-retry": Case(
        ("retry_on", "`always`", "only `missing`, `error` and `unparsed`"), {"retry_on": ["missing", "always"]}
    ),
    "retry-as-text": Case(("retry_on", '`"missing"`', "list"), {"retry_on": "missing"}),
    "low-threshold": Case(("batch_threshold", "`99`", "at least 100", "minimum"), {"batch_threshold": 99}),
    "threshold-in-batch": Case(
        ("batch_threshold", "only allowed with processing_mode `auto`", "leave it out"),
        {"batch_threshold": 200, "processing_mode": "batch"},
    ),
    "capped-realtime": Case(
        ("max_on_demand_rows", "only allowed with processing_mode `auto`", "leave it out"),
        {"max_on_demand_rows": 200, "processing_mode": "realtime"},
    ),
    "fallback-in-batch": Case(
        ("fallback_model_id", "only invoked on demand", "`batch`"),
        {"fallback_model_id": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "processing_mode": "batch"},
    ),
    "fallback-of-another-family": Case(
        ("fallback_model_id", "`amazon.nova-lite-v1:0`", "family", "choose a model of"),
        {"fallback_model_id": "amazon.nova-lite-v1:0"},
    ),
    "unknown-fallback": Case(
        ("fallback_model_id", "`gpt-4`", "supported are", "model-overrides"), {"fallback_model_id": "gpt-4"}
    ),
    "no-profile-arn": Case(
        ("inference_profile_arn", "`us.anthropic.x`", "must look like `arn:aws:bedrock:"),
        {"inference_profile_arn": "us.anthropic.x"},
    ),
    "profiles-as-text": Case(
        ("inference_profile_required_models", "list"), {"inference_profile_required_models": "anthropic."}
    ),
    "deduplicate-as-text": Case(("deduplicate", '`"no"`', "true or false"), {"deduplicate": "no"}),
    # --- rows ---
    "id-twice": Case(
        ("record_id of row 231", "`7`", "occurs more than once", "an id of its own"),
        # The first job's file is written when this comes up.
        {"max_records_per_job": 120},
        {"rows.csv": csv_text(with_ids([*map(str, range(230)), "7", "x"]))},
    ),
    "id-empty": Case(
        ("record_id of row 3", "is null or empty", "an id of its own"),
        {},
        {"rows.csv": csv_text(with_ids([*"ab", "", *map(str, range(120))]))},
    ),
    "id-null": Case(
        ("record_id of row 121", "is null or empty", "an id of its own"),
        {},
        {"rows.parquet": parquet_bytes(with_ids([*range(120), None], pa.int64()))},
    ),
    "few-rows": Case(
        ("99 rows", "at least 100 records per batch job", "add rows", "on demand"),
        {"processing_mode": "batch"},
        {"rows.csv": csv_text(topic_table(99))},
    ),
    "few-rows-taken": Case(
        ("50 rows", "at least 100 records per batch job", "add rows"),
        {"max_records_total": 50, "processing_mode": "batch"},
    ),
    "few-rows-once": Case(
        ("of 120 rows", "equal others", "fewer than the 100 records", "deduplicate"),
        {"processing_mode": "batch"},
        {"rows.csv": csv_text(pa.concat_tables([topic_table(40)] * 3))},
    ),
    "small-jobs": Case(("max_records_per_job", "`50`", "at least 100"), {"max_records_per_job": 50}),
    "uneven-jobs": Case(
        ("max_records_per_job", "`110`", "120 rows cannot be divided", "raise it to 120"),
        {"max_records_per_job": 110, "processing_mode": "batch"},
    ),
}
# What no single field is to blame for.
WHOLE = {
    "no-object": ([1, 2], ("the execution input", "must be a JSON object")),
    "many-problems": (
        {"model_id": "gpt-4", "max_num_jobs": 0, "foo": 1},
        (
            "job_name_prefix",
            "s3_uri",
            "model_id",
            "`gpt-4`",
            "max_num_jobs",
            "foo",
            "5 problems, nothing was submitted",
        ),
    ),
}


def put_files(stack, name: str, files: dict[str, bytes]) -> str:
    uris = [stack.put(f"inputs/bad/{name}/{file}", body) for file, body in files.items()]
    return uris[0] if len(uris) == 1 else f"s3://{stack.bucket}/inputs/bad/{name}/"


def play(stack):
    inputs, expected = {}, {}
    for name, case in CASES.items():
        uri = put_files(stack, name, case.files)
        fill = {"{uri}": uri.rstrip("/"), "{bucket}": stack.bucket}
        fields = {key: filled(value, fill) for key, value in case.fields.items()}
        inputs[name] = stack.joke(**({"s3_uri": uri} | fields))
        expected[name] = tuple(filled(words, fill) for words in case.says)
    for name, (execution_input, says) in WHOLE.items():
        inputs[name], expected[name] = execution_input, says
    runs = stack.play_all(inputs)
    return {name: (runs[name], expected[name]) for name in inputs}


def filled(value, fill: dict[str, str]):
    if isinstance(value, str):
        for mark, text in fill.items():
            value = value.replace(mark, text)
    return value


@pytest.mark.parametrize("name", [*CASES, *WHOLE])
def test_the_run_fails_and_says_why(played, name):
    run, expected = played[name]
    error, cause = run.failure()
    assert error == "InvalidInput", cause
    assert [words for words in expected if words not in cause] == [], cause


@pytest.mark.parametrize("name", [*CASES, *WHOLE])
def test_nothing_was_submitted(played, name):
    run, _ = played[name]
    run.failure()
    assert run.jobs == []
    assert run.items == []
    # The claim of the name, and what Bedrock says of the model, come before the rows are read.
    first = {f"runs/{run.name}/claim.json", f"runs/{run.name}/models.json"}
    assert set(run.stack.keys(f"runs/{run.name}/")) <= first
