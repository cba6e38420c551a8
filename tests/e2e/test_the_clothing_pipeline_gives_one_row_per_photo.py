"""The three-stage clothing pipeline of the Python sample, its configuration unchanged, over the sample's 100 photos
with the answers that Bedrock gave for them; and over more photos than one job takes."""

import base64
import hashlib
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack.local import REPOSITORY, SAMPLES
from stack.pipeline import read_together, sizes_of

sys.path.insert(0, str(REPOSITORY / "tests" / "fixtures"))
from draw_clothes import pictures

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"BEDROCK_BATCH_SAMPLES names no folder of photos and recorded answers: {SAMPLES}"
)

CATEGORIES = {"pants": 24, "shorts": 21, "shoes": 20, "dress": 20, "t-shirt": 15}
FIELDS = {
    "shorts": {"color", "length", "material", "pattern", "style"},
    "shoes": {"color", "type", "material", "style", "closure"},
    "pants": {"color", "fit", "material", "pattern", "style"},
    "dress": {"color", "length", "sleeve", "pattern", "style"},
    "t-shirt": {"color", "sleeve", "neckline", "pattern", "fit"},
}
ALL_FIELDS = set().union(*FIELDS.values())
ABOUT_THE_ANSWER = ["error", "stop_reason", "input_tokens", "output_tokens", "attempts", "model_id"]
# The drawn pictures have no recorded answers: the fake model reads what they show.
DRAWN = 105


def play(stack):
    if not SAMPLES.is_dir():
        return None
    photos = {path.name: path.read_bytes() for path in sorted((SAMPLES / "images").iterdir())}
    drawn = dict(pictures())
    config = json.loads((SAMPLES / "clothing-analysis-full.json").read_text())
    # Only the account's number is filled in: the photos are at the addresses of the sample.
    as_it_is = json.loads(json.dumps(config).replace("YOUR_ACCOUNT_ID", stack.bucket.rsplit("-", 1)[1]))
    assert as_it_is["stages"][0]["input_s3_uri"] == f"s3://{stack.bucket}/inputs/clothing-images/"
    put_all(stack, "inputs/clothing-images/", photos)
    put_all(stack, "inputs/many-clothes/", photos | drawn)
    large = json.loads(json.dumps(config))
    large["stages"][0]["input_s3_uri"] = f"s3://{stack.bucket}/inputs/many-clothes/"
    for stage in large["stages"]:
        # The remainder of jobs of 100 goes on demand.
        del stage["max_num_jobs"]
        stage.update(requests_per_second=500, inference={"max_tokens": 500})
    return stack.play_pipelines({"clothing": as_it_is, "clothing-many": large})


def put_all(stack, prefix, files):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: stack.put(prefix + name, files[name]), files))


@pytest.fixture(scope="module")
def recorded():
    """By stage and photo, the answer that was recorded: its text, and the object in it."""
    found = {}
    for stage in (1, 2):
        for written in (SAMPLES / f"stage_{stage}_output.jsonl").read_text().splitlines():
            line = json.loads(written)
            (image,) = (block for block in line["modelInput"]["messages"][0]["content"] if block["type"] == "image")
            text = line["modelOutput"]["content"][0]["text"]
            parsed, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
            found[stage, digest(base64.b64decode(image["source"]["data"]))] = text, parsed
    assert len(found) == 200
    return found


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def rows(played):
    return sorted(played["clothing"].rows.to_pylist(), key=lambda row: row["record_id"])


def test_each_photo_has_one_row(played, rows):
    names = sorted(path.name for path in (SAMPLES / "images").iterdir())
    assert [row["file_name"] for row in rows] == names
    assert [row["record_id"] for row in rows] == [f"r{position:09}" for position in range(100)]
    prefix = f"s3://{played['clothing'].stack.bucket}/inputs/clothing-images/"
    assert [row["image_path"] for row in rows] == [prefix + name for name in names]
    assert [row["error"] for row in rows] == [None] * 100


def test_the_categories_are_those_of_the_recorded_answers(rows, recorded):
    assert Counter(row["category"] for row in rows) == CATEGORIES
    for row in rows:
        text, answer = recorded[1, digest((SAMPLES / "images" / row["file_name"]).read_bytes())]
        assert (row["category"], row["confidence"]) == (answer["category"], answer["confidence"])
        assert row["classify_category_response"] == text


def test_each_category_was_sent_with_its_prompt_and_has_its_fields(rows, recorded):
    for row in rows:
        text, answer = recorded[2, digest((SAMPLES / "images" / row["file_name"]).read_bytes())]
        names = FIELDS[row["category"]]
        assert row["prompt_id"] == f"extract_{row['category'].replace('-', '')}_metadata"
        assert {name: row[name] for name in ALL_FIELDS if row[name] is not None} == {
            name: str(answer[name]) for name in names
        }
        assert row["metadata"] == text


def test_each_row_has_its_listing(rows):
    for row in rows:
        said = json.loads(row["response"])
        assert {name: row[name] for name in ("title", "description", "keywords")} == said
        assert all(isinstance(word, str) for word in row["keywords"])


def test_all_columns_are_kept_under_the_names_that_are_promised(played):
    def of(stage):
        return [f"{stage}_{name}" for name in ABOUT_THE_ANSWER]

    names = played["clothing"].rows.column_names
    assert {name for name in names if name in ALL_FIELDS} == ALL_FIELDS
    assert [name for name in names if name not in ALL_FIELDS] == [
        "record_id",
        "image_path",
        "file_name",
        "classify_category_response",
        "category",
        "confidence",
        *of("classify_category"),
        *of("extract_metadata"),
        "prompt_id",
        # `column_mappings`: what stage 3 calls the answer of stage 2.
        "metadata",
        "response",
        "title",
        "description",
        "keywords",
        *ABOUT_THE_ANSWER,
    ]


def test_each_stage_sends_what_it_should(played):
    first, second, third = played["clothing"].stages.values()
    for stage, images in ((first, True), (second, True), (third, False)):
        # Some of the listings have equal data; as there are just enough for a job, all are sent.
        assert [job["counts"]["totalRecordCount"] for job in stage.jobs] == [100] == [len(stage.records)]
        for model_input in stage.records.values():
            kinds = [block["type"] for block in model_input["messages"][0]["content"]]
            assert kinds == (["image", "text"] if images else ["text"])


def test_the_output_has_the_totals_of_all_stages(played):
    pipeline = played["clothing"]
    output = pipeline.output
    assert (output["pipeline_name"], output["status"]) == ("clothing-full-analysis-pipeline", "completed")
    assert [stage["stage_name"] for stage in output["stages"]] == list(pipeline.stages)
    for stage, run in zip(output["stages"], pipeline.stages.values(), strict=True):
        assert (stage["run_id"], stage["records_in"], stage["answered"], stage["failed"]) == (run.run_id, 100, 100, 0)
        assert stage["cost_usd"] == run.summary["cost_usd"] > 0
    assert output["cost_usd"] == pytest.approx(sum(stage["cost_usd"] for stage in output["stages"]))
    assert output["output_prefix"] == pipeline.stages["generate_listing"].output["output_prefix"]
    assert output["output_paths"] == pipeline.stages["generate_listing"].output["output_paths"]
    assert pipeline.json("summary.json") == output


def test_more_photos_than_a_job_takes_come_in_several_files_of_one_schema(played):
    for name, run in played["clothing-many"].stages.items():
        sizes = sizes_of(run)
        assert len([file for file in sizes if not file.startswith("duplicates")]) >= 2, name
        assert sum(sizes.values()) == len(read_together(run)) == 100 + DRAWN, name


def test_no_photo_is_lost_between_several_files(played):
    pipeline = played["clothing-many"]
    rows = read_together(pipeline).to_pylist()
    names = sorted([*(path.name for path in (SAMPLES / "images").iterdir()), *(name for name, _ in pictures())])
    assert sorted(row["file_name"] for row in rows) == names
    assert sorted(row["record_id"] for row in rows) == [f"r{position:09}" for position in range(100 + DRAWN)]
    expected = {category: count + DRAWN // len(CATEGORIES) for category, count in CATEGORIES.items()}
    assert Counter(row["category"] for row in rows) == expected
    assert {row["error"] for row in rows} == {None}
    for row in rows:
        assert {name for name in ALL_FIELDS if row[name] is not None} == FIELDS[row["category"]], row["file_name"]


def test_equal_listings_are_sent_once(played):
    run = played["clothing-many"].stages["generate_listing"]
    rows = read_together(run).to_pylist()
    different = {(row["category"], row["metadata"]) for row in rows}
    assert run.summary["duplicates"]["rows"] == len(rows) - len(different) > 0
    assert len(run.records) == len(different)
    listings: dict[tuple, str] = {}
    for row in rows:
        assert listings.setdefault((row["category"], row["metadata"]), row["response"]) == row["response"]
