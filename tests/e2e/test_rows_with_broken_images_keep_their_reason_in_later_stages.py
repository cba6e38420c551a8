"""A row whose image cannot be sent says why; the others are answered, and the row passes through later stages."""

import csv
import io
import uuid

import pytest

from stack.pictures import bmp, gif, jpeg, png

GOOD = {"a dress": "dress", "shorts": "shorts", "shoes": "shoes"}
# Claude's 3.75 MB.
MAX_BYTES = 3_750_000
# By the row's name: the object's content (if there is one), the cell (`{uri}`: the object's address), and what the
# error must say.
BROKEN = {
    "missing": (None, "{uri}", ("{uri}", "no such object")),
    "text": (b"Not a picture at all.\n", "{uri}", ("no known image format", "JPEG, PNG, GIF and WEBP", "convert it")),
    "empty": (b"", "{uri}", ("{uri}", "the file is empty")),
    "truncated": (jpeg("cut off", 64)[:-12], "{uri}", ("{uri}", "the JPEG file is cut off", "upload it again")),
    "cut-png": (png("a dress that is cut off")[:-20], "{uri}", ("the PNG file is cut off",)),
    "too-large": (png("huge", padding=MAX_BYTES), "{uri}", (" bytes, and at most 3750000 are taken",)),
    "too-wide": (png("wide", width=8001), "{uri}", ("8001 x 8 pixels", "at most 8000", "scale it down")),
    "too-high": (png("high", height=8001), "{uri}", ("8 x 8001 pixels", "at most 8000", "scale it down")),
    "bmp": (bmp(), "{uri}", ("BMP", "JPEG, PNG, GIF and WEBP", "convert it")),
    "no-cell": (None, "", ("the row names none", "s3://bucket/path")),
    "other-bucket": (None, "s3://somebody-else/dress.png", ("s3://somebody-else/dress.png", "`inputBuckets`")),
    "http": (None, "https://example.org/dress.png", ("https://example.org/dress.png", "is not an address in S3")),
    "bucket-alone": (None, "s3://{bucket}/", ("no object in it",)),
}
LARGEST = {"widest": png("shoes, wide", width=8000), "heaviest": jpeg("", 64)}


def play(stack):
    folder = f"inputs/{uuid.uuid4().hex}/"
    expected, lines = {}, [("name", "image_path")]
    for name, (content, cell, says) in BROKEN.items():
        uri = f"s3://{stack.bucket}/{folder}{name}.jpg"
        if content is not None:
            stack.put(f"{folder}{name}.jpg", content)
        fill = {"uri": uri, "bucket": stack.bucket}
        lines.append((name, cell.format(**fill)))
        expected[name] = [words.format(**fill) for words in says]
    for shows in GOOD:
        lines.append((shows, stack.put(f"{folder}{shows}.png", png(shows))))
    for name, content in LARGEST.items():
        lines.append((name, stack.put(f"{folder}{name}.png", content)))
    lines.append(("gif", stack.put(f"{folder}a.gif", gif())))
    text = io.StringIO()
    csv.writer(text).writerows(lines)

    def config(**last):
        # A prefix of its own, so that the others' listings are others' requests.
        quick = {"model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0", "requests_per_second": 300}
        first = {"input_s3_uri": stack.put(f"{folder}rows.csv", text.getvalue()), "input_type": "image"}
        listing = {"prompt_id": "generate_product_listing", "column_mappings": {"metadata": "response"}}
        stages = [
            {"stage_name": "look", "job_name_prefix": "look", "prompt_id": "classify_clothing_category", **first},
            {"stage_name": "list", "job_name_prefix": "list", "use_previous_output": True, **listing, **last},
        ]
        return {"pipeline_name": "broken-images", "stages": [stage | quick for stage in stages]}

    pipelines = stack.play_pipelines(
        {"broken-left": config(), "broken-sent": config(include_failed=True, ask_blank_rows=True)}
    )
    return pipelines, expected


def rows_of(run):
    return {row["name"]: row for row in run.rows.to_pylist()}


@pytest.mark.parametrize("name", BROKEN)
def test_the_row_says_why(played, name):
    pipelines, expected = played
    row = rows_of(pipelines["broken-left"].stages["look"])[name]
    assert row["error"].startswith("not sent: ")
    assert [words for words in expected[name] if words not in row["error"]] == [], row["error"]
    assert (row["response"], row["category"], row["model_id"], row["attempts"]) == (None, None, None, 0)


def test_all_other_rows_are_answered(played):
    pipelines, _ = played
    run = pipelines["broken-left"].stages["look"]
    rows = rows_of(run)
    assert [row["name"] for row in run.rows.to_pylist()] == [*BROKEN, *GOOD, *LARGEST, "gif"]
    assert {name: rows[name]["category"] for name in GOOD} == GOOD
    for name in (*GOOD, *LARGEST, "gif"):
        assert (rows[name]["error"], rows[name]["attempts"]) == (None, 1), name
        assert rows[name]["response"]


def test_nothing_of_a_broken_image_was_sent(played):
    pipelines, _ = played
    run = pipelines["broken-left"].stages["look"]
    sent = {row["record_id"] for row in run.rows.to_pylist() if row["error"] is None}
    assert run.records.keys() == sent and len(sent) == len(GOOD) + len(LARGEST) + 1


def test_the_reasons_are_counted(played):
    pipelines, _ = played
    summary = pipelines["broken-left"].stages["look"].summary
    assert (summary["failed"], summary["answered"]) == (len(BROKEN), len(GOOD) + len(LARGEST) + 1)
    assert sum(summary["failed_reasons"].values()) == len(BROKEN)
    assert summary["failed_reasons"]["image of too many pixels"] == 2
    assert summary["failed_reasons"]["image file is cut off"] == 2
    codes = summary["failed_codes"]
    assert sum(codes.values()) == len(BROKEN)
    assert (codes["image_too_many_pixels"], codes["image_cut_off"]) == (2, 2)


def test_they_pass_through_the_next_stage_with_their_reason(played):
    pipelines, _ = played
    pipeline = pipelines["broken-left"]
    before, after = rows_of(pipeline.stages["look"]), rows_of(pipeline)
    assert list(after) == list(before)
    for name in BROKEN:
        assert after[name]["error"] == f"not sent: failed in stage look: {before[name]['error']}"
        assert after[name]["look_error"] == before[name]["error"]
        assert (after[name]["title"], after[name]["response"], after[name]["attempts"]) == (None, None, 0)
    for name, category in GOOD.items():
        assert (after[name]["error"], after[name]["category"]) == (None, category)
        assert after[name]["title"] and after[name]["metadata"] == before[name]["response"]
    assert len(pipeline.stages["list"].records) == len(GOOD) + len(LARGEST) + 1
    assert pipeline.output["status"] == "completed_with_errors"
    assert [(stage["records_in"], stage["failed"]) for stage in pipeline.output["stages"]] == [
        (len(before), len(BROKEN))
    ] * 2


def test_with_include_failed_they_are_sent(played):
    pipelines, _ = played
    pipeline = pipelines["broken-sent"]
    rows = rows_of(pipeline)
    # Without category and metadata they are all the same, and so sent once.
    assert rows.keys() == rows_of(pipeline.stages["look"]).keys()
    for name in BROKEN:
        assert (rows[name]["error"], rows[name]["attempts"]) == (None, 1)
        assert rows[name]["title"] and rows[name]["look_error"].startswith("not sent: ")
    assert (pipeline.output["stages"][0]["failed"], pipeline.output["stages"][1]["failed"]) == (len(BROKEN), 0)


def test_the_email_counts_them_and_names_the_most_frequent_reasons(played):
    pipelines, _ = played
    email = pipelines["broken-left"].email
    assert f"{len(BROKEN)} rows without an answer" in email.subject
    totals = email.section("STAGE 1 OF 2: look")
    assert f"{len(BROKEN) + 6} in, 6 answered, {len(BROKEN)} failed, 0 skipped" in totals
    assert "2 x image of too many pixels" in totals
