"""Rows of Hugging Face datasets, from a Hub of the test's own: the input of the Python samples works unchanged."""

import json

import pyarrow as pa

from stack.checks import assert_whole
from stack.contract import ENVIRONMENT, function_name
from stack.deployed import CLAUDE
from stack.hub import COMMIT, Hub, serving
from stack.inputs import parquet_bytes, topics
from stack.local import REPOSITORY
from stack.pictures import png

COT, MANY, GATED, PHOTOS = "w601sxs/simpleCoT", "acme/languages", "acme/gated", "acme/photos"
TOKEN = "hf_only_for_the_hub"
# Kinds of errors after which a request is repeated.
DELAYED = ("Throttled", "Transient")
KINDS = ("pants", "shorts", "dress", "t-shirt", "shoes")


def sources(first: int, count: int) -> pa.Table:
    return pa.table({"source": topics(count, first), "target": [f"target {n}" for n in range(first, first + count)]})


def photos() -> pa.Table:
    images = [{"bytes": png(f"{KINDS[n % len(KINDS)]} no. {n}"), "path": f"{n}.png"} for n in range(110)]
    return pa.table({"image": pa.array(images, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))})


def hub() -> Hub:
    datasets = {
        COT: {
            "default/train/0000.parquet": parquet_bytes(sources(70_000, 60), row_group_size=20),
            "default/train/0001.parquet": parquet_bytes(sources(70_060, 90), row_group_size=20),
            "default/train/0002.parquet": b"never opened",
        },
        MANY: {f"{language}/train/0000.parquet": b"x" for language in ("de", "en", "fr")},
        GATED: {"default/partial-train/0000.parquet": parquet_bytes(sources(80_000, 110))},
        PHOTOS: {"default/train/0000.parquet": parquet_bytes(photos(), row_group_size=16)},
    }
    return Hub(datasets, gated=frozenset({GATED}), token=TOKEN)


def play_alone(stack):
    sample = json.loads((REPOSITORY / "pipeline-configs" / "simple-cot-questions.json").read_text())
    run = {"job_name_prefix": "e2e-dataset", "model_id": CLAUDE, "prompt_id": "question_answering"}
    preprocess = function_name("preprocess")
    secret = stack.secret_for(preprocess, TOKEN)
    with serving(hub()) as served:
        endpoint = {ENVIRONMENT["HF_ENDPOINT"]: f"{served.url}/"}
        with stack.variables(preprocess, **endpoint):
            runs = stack.play_all(
                {
                    "sample": {name: value for name, value in sample.items() if name != "$schema"},
                    "several": {**run, "dataset_id": MANY},
                    "no-such-split": {**run, "dataset_id": COT, "split": "test"},
                    "gated": {**run, "dataset_id": GATED},
                    "missing": {**run, "dataset_id": "acme/nothing"},
                    "photos": {
                        **run,
                        "dataset_id": PHOTOS,
                        "prompt_id": "classify_clothing_category",
                        "input_type": "image",
                        "image_column": "image",
                    },
                }
            )
        with stack.variables(preprocess, **endpoint, **{ENVIRONMENT["HUGGING_FACE_TOKEN_SECRET"]: secret}):
            runs["partial"] = stack.play({**run, "dataset_id": GATED})
            runs["with-token"] = stack.play({**run, "dataset_id": GATED, "allow_partial": True})
    return runs, served


def test_the_input_of_the_sample_works_unchanged(played_alone):
    runs, _ = played_alone
    run = runs["sample"]
    rows = pa.concat_tables([sources(70_000, 60), sources(70_060, 40)])
    skipped = run.output["summary"]["skipped"]
    assert skipped == 50
    assert run.rows["source"].to_pylist() == rows["source"].to_pylist()
    assert run.rows["target"].to_pylist() == rows["target"].to_pylist()
    assert [job["counts"]["totalRecordCount"] for job in run.jobs] == [100]
    assert run.rows["error"].null_count == 100


def test_the_commit_and_the_files_that_were_read_are_frozen(played_alone):
    runs, _ = played_alone
    plan = runs["sample"].plan
    assert plan["dataset_commit"] == COMMIT
    files = [f"hf://datasets/{COT}@{COMMIT}/default/train/{number:04}.parquet" for number in range(2)]
    assert [source["uri"] for source in plan["sources"]] == files
    (warning,) = runs["sample"].summary["warnings"].items()
    assert "dataset files not opened" in warning[0] and warning[1] == 1


def test_a_rate_limit_and_a_cut_connection_cost_nothing(stack, played_alone):
    _, served = played_alone
    assert served.counts["rate limit"] > 1 and served.counts["cut connection"] > 1
    # The function itself repeated the requests. It ran once per run: two runs read this dataset, and one reads the pictures.
    preprocess = function_name("preprocess")
    assert [kind for kind in DELAYED if not stack.logged(preprocess, "hub_request_delayed", kind)] == []
    assert [served.counts[f"revision of {dataset}"] for dataset in (COT, PHOTOS)] == [2, 1]


def test_what_cannot_be_read_says_what_to_do(played_alone):
    runs, _ = played_alone
    expected = {
        "several": ("config", "3 configurations", "`de`, `en`, `fr`"),
        "no-such-split": ("split is `test`", "the dataset has `train`"),
        "gated": (f"dataset_id is `{GATED}`", "is gated", "`huggingFaceTokenSecret`"),
        "missing": ("dataset_id is `acme/nothing`", "does not exist, or is private", "check the id"),
        "partial": ("split is `train`", "only the first part", "allow_partial"),
    }
    for name, says in expected.items():
        error, cause = runs[name].failure()
        assert error == "InvalidInput"
        assert [words for words in says if words not in cause] == [], cause
        assert runs[name].jobs == []


def test_a_gated_dataset_is_read_with_the_token_of_the_stack(played_alone):
    runs, served = played_alone
    assert_whole(runs["with-token"], sources(80_000, 110), [110])
    assert served.tokens["hub"] == {None, f"Bearer {TOKEN}"}
    assert served.tokens["storage"] == {None}
    assert TOKEN not in json.dumps(runs["with-token"].plan)


def test_images_in_rows_are_sent(played_alone):
    runs, _ = played_alone
    run = runs["photos"]
    assert run.output["status"] == "completed"
    assert run.rows["category"].to_pylist() == [KINDS[n % len(KINDS)] for n in range(110)]
    assert run.rows["image"].to_pylist() == photos()["image"].to_pylist()


def test_the_token_is_in_no_log(stack, played_alone):
    assert played_alone
    assert stack.logged(function_name("preprocess"), TOKEN) == []
