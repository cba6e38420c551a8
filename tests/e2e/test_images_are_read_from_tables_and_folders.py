"""Images from CSV, from Parquet, and from a prefix with folders; the media type is that of the bytes, not of the
name."""

import base64
import uuid
from pathlib import Path

import pyarrow as pa

from stack.inputs import csv_text, parquet_bytes
from stack.pictures import WEBP, bmp, gif, jpeg, png
from stack.prompts import answer_texts

TROUBLES = Path(__file__).parents[1] / "fixtures" / "image_troubles"
KINDS = ("pants", "shorts", "dress", "t-shirt", "shoes")
COUNT = 110
# By key under the prefix: the content, and the media type that must be sent. None: not sent as an image.
FOLDER = {
    "Shoes and more/ä.PNG": (png("shoes, red"), "image/png"),
    "a+b 100%20 #?.jpeg": (jpeg("one"), "image/jpeg"),
    "b.png": (jpeg("two"), "image/jpeg"),
    "c.jpg": (png("dress, blue"), "image/png"),
    "deep/down/d.jpg": (gif(), "image/gif"),
    "deep/e.webp": (WEBP, "image/webp"),
    "f.gif": (WEBP, "image/webp"),
    "g.bmp": (bmp(), None),
    # Names that do not say what they are; the bytes do.
    "h.jfif": (jpeg("three"), "image/jpeg"),
    "no_ending": (png("shoes, no ending"), "image/png"),
    "dot at end.jpg.": (jpeg("four"), "image/jpeg"),
    # The address ends as the key does.
    "space at end.png ": (png("shoes, space"), "image/png"),
    # What models may see otherwise than people do.
    "turned.jpg": ((TROUBLES / "exif_orientation_6.jpg").read_bytes(), "image/jpeg"),
    "animated.gif": ((TROUBLES / "animated.gif").read_bytes(), "image/gif"),
}
# Not images by their names, and what other tools leave.
OTHERS = {
    "README": b"no picture",
    "notes.txt": b"no picture",
    "deep/list.json": b"{}",
    "_tmp/x.png": png("x"),
    ".hidden.png": png("y"),
}


def pictures():
    return [png(f"{KINDS[number % len(KINDS)]} no. {number}") for number in range(COUNT)]


def play(stack):
    folder = f"inputs/{uuid.uuid4().hex}/"
    uris = [stack.put(f"{folder}tables/{number:03}.png", picture) for number, picture in enumerate(pictures())]
    # Every other one by its key in the bucket.
    cells = [uri if number % 2 else uri.removeprefix(f"s3://{stack.bucket}/") for number, uri in enumerate(uris)]
    table = pa.table({"sku": [f"S{number}" for number in range(COUNT)], "photo": cells, "note": ["x"] * COUNT})
    for name, (content, _) in FOLDER.items():
        stack.put(f"{folder}folder/{name}", content)
    for name, content in OTHERS.items():
        stack.put(f"{folder}folder/{name}", content)
    stack.put(f"{folder}folder/deep/", b"")
    mixed = {"a.png": png("shoes, mixed"), "b.jpg": jpeg("mixed"), "notes/list.csv": b"a,b\n1,2\n"}
    for name, content in mixed.items():
        stack.put(f"{folder}mixed/{name}", content)
    stack.put(f"{folder}nothing/readme.txt", b"nothing to see")

    def look(uri, **fields):
        images = {"input_type": "image", "prompt_id": "classify_clothing_category", "requests_per_second": 300}
        return stack.joke(uri, **(images | fields))

    runs = stack.play_all(
        {
            "csv-of-images": look(stack.put(f"{folder}rows.csv", csv_text(table)), image_column="photo"),
            "parquet-of-images": look(
                stack.put(f"{folder}rows.parquet", parquet_bytes(table)),
                image_column="photo",
                model_id="us.amazon.nova-lite-v1:0",
            ),
            "folder-of-images": look(f"s3://{stack.bucket}/{folder}folder/", max_retry_rounds=0),
            "table-among-images": look(f"s3://{stack.bucket}/{folder}mixed/"),
            "one-image": look(f"s3://{stack.bucket}/{folder}folder/c.jpg"),
            "no-image": look(f"s3://{stack.bucket}/{folder}nothing/"),
            "nothing-at-all": look(f"s3://{stack.bucket}/{folder}nowhere/"),
            "other-column": look(f"s3://{stack.bucket}/{folder}rows.csv", image_column="picture"),
            "no-column-named": look(f"s3://{stack.bucket}/{folder}rows.csv"),
        }
    )
    return runs, table, cells, f"s3://{stack.bucket}/{folder}folder/"


def sent_images(run):
    """By record id, media type and bytes of what was sent, of Anthropic's format or of Nova's."""
    found = {}
    for record_id, model_input in run.records.items():
        (image,) = (block for block in model_input["messages"][0]["content"] if "image" in (block.get("type"), *block))
        if "source" in image:
            source = image["source"]
            found[record_id] = source["media_type"], base64.b64decode(source["data"])
        else:
            image = image["image"]
            found[record_id] = f"image/{image['format']}", base64.b64decode(image["source"]["bytes"])
    return found


def test_a_table_names_images_by_address_or_by_key(played):
    runs, table, _, _ = played
    for name in ("csv-of-images", "parquet-of-images"):
        run = runs[name]
        assert run.output["status"] == "completed"
        assert [job["counts"]["totalRecordCount"] for job in run.jobs] == [COUNT]
        for column in table.column_names:
            assert run.rows[column].to_pylist() == table[column].to_pylist(), (name, column)
        assert run.rows["category"].to_pylist() == [KINDS[number % len(KINDS)] for number in range(COUNT)]
        answers = answer_texts(run)
        for row in run.rows.to_pylist():
            assert (row["response"], row["error"]) == (answers[row["record_id"]], None), row
        images = sent_images(run)
        expected = [("image/png", picture) for picture in pictures()]
        assert [images[record_id] for record_id in run.rows["record_id"].to_pylist()] == expected


def test_each_row_of_a_folder_is_an_image_with_its_address_and_name(played):
    runs, _, _, prefix = played
    rows = runs["folder-of-images"].rows.sort_by("record_id").to_pylist()
    # S3 lists by the bytes of the keys.
    keys = sorted(FOLDER, key=str.encode)
    assert [row["image_path"] for row in rows] == [prefix + key for key in keys]
    assert [row["file_name"] for row in rows] == [key.rsplit("/", 1)[-1] for key in keys]
    assert [row["record_id"] for row in rows] == [f"r{position:09}" for position in range(len(keys))]


def test_media_types_are_those_of_the_bytes(played):
    runs, _, _, prefix = played
    run = runs["folder-of-images"]
    ids = {row["image_path"].removeprefix(prefix): row["record_id"] for row in run.rows.to_pylist()}
    images = sent_images(run)
    sent = {name: (media, content) for name, (content, media) in FOLDER.items() if media and name != "f.gif"}
    # The same picture under another name is sent once.
    assert {name: images[ids[name]] for name in sent} == sent
    assert ids["g.bmp"] not in images


def test_equal_pictures_are_sent_once(played):
    runs, _, _, _ = played
    run = runs["folder-of-images"]
    rows = {row["file_name"]: row for row in run.rows.to_pylist()}
    assert rows["f.gif"]["response"] == rows["e.webp"]["response"]
    assert rows["f.gif"]["image_path"] != rows["e.webp"]["image_path"]


def test_a_picture_of_another_format_says_so(played):
    runs, _, _, _ = played
    run = runs["folder-of-images"]
    rows = {row["file_name"]: row for row in run.rows.to_pylist()}
    assert "BMP" in rows["g.bmp"]["error"] and "convert it" in rows["g.bmp"]["error"]
    assert [name for name, row in rows.items() if row["error"]] == ["g.bmp"]


def test_objects_that_are_not_images_are_counted_in_the_warnings(played):
    runs, _, _, _ = played
    warnings = runs["folder-of-images"].summary["warnings"]
    assert {count for name, count in warnings.items() if "not images by their names or first bytes" in name} == {3}
    assert {count for name, count in warnings.items() if "begin with `_` or `.`" in name} == {3}


def test_images_that_models_may_see_otherwise_are_counted_in_the_warnings(played):
    runs, _, _, _ = played
    warnings = runs["folder-of-images"].summary["warnings"]
    assert warnings["images whose Exif data turns them: models may see them as they are stored"] == 1
    assert warnings["images of several frames: models may see only the first one"] == 1


def test_a_table_among_images_is_recognized(played):
    """Either it is skipped and counted, or one problem names the mixture; never one problem per image."""
    runs, _, _, _ = played
    run = runs["table-among-images"]
    if run.end["status"] == "SUCCEEDED":
        assert [row["file_name"] for row in run.rows.to_pylist()] == ["a.png", "b.jpg"]
        assert list(run.summary["warnings"].values()) == [1]
    else:
        error, cause = run.failure()
        assert error == "InvalidInput" and "problems" not in cause and "image" in cause, cause


def test_one_object_is_one_row(played):
    runs, _, _, prefix = played
    (row,) = runs["one-image"].rows.to_pylist()
    assert (row["image_path"], row["file_name"], row["category"]) == (f"{prefix}c.jpg", "c.jpg", "dress")


def test_an_empty_prefix_is_refused(played):
    runs, _, _, _ = played
    expected = {
        "no-image": ("s3_uri", "contains no image by its name", "1 other object", "upload images (.jpg"),
        "nothing-at-all": ("s3_uri", "does not exist", "upload images"),
        "other-column": ("image_column is `picture`", "the columns are", "`photo`"),
        "no-column-named": ("image_column is `image_path`", "the columns are", "`photo`"),
    }
    for name, says in expected.items():
        error, cause = runs[name].failure()
        assert error == "InvalidInput"
        assert [words for words in says if words not in cause] == [], cause
        assert runs[name].jobs == []
