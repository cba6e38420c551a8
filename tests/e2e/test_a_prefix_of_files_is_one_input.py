"""All files under a prefix are read in the order of their names, and what other tools leave beside data is ignored."""

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, parquet_bytes, topic_table

PARTS = (70, 1, 149)


def parts() -> list[pa.Table]:
    firsts = (sum(PARTS[:index]) for index in range(len(PARTS)))
    return [topic_table(count, first) for count, first in zip(PARTS, firsts, strict=True)]


def put_folder(stack, kind: str, write) -> str:
    """The address of the folder, without a slash for one kind and with it for the other."""
    folder = f"inputs/folder-of-{kind}"
    for index, part in enumerate(parts()):
        stack.put(f"{folder}/part-{index}.{kind}", write(part))
    stack.put(f"{folder}/_SUCCESS", b"")
    stack.put(f"{folder}/.part-0.{kind}.crc", b"crc")
    # A neighbour whose name only begins alike is not in the folder.
    stack.put(f"{folder}-old/part-9.{kind}", b"not a file of this input")
    return f"s3://{stack.bucket}/{folder}"


def play(stack):
    return stack.play_all(
        {
            "folder-of-csv": stack.joke(put_folder(stack, "csv", csv_text)),
            "folder-of-parquet": stack.joke(put_folder(stack, "parquet", parquet_bytes) + "/"),
        }
    )


def test_csv_files_are_read_one_after_the_other(played):
    assert_whole(played["folder-of-csv"], pa.concat_tables(parts()), [220])


def test_parquet_files_are_read_one_after_the_other(played):
    assert_whole(played["folder-of-parquet"], pa.concat_tables(parts()), [220])


def test_ignored_objects_are_counted_as_a_warning(played):
    for run in played.values():
        assert sum(run.summary["warnings"].values()) == 2, run.summary["warnings"]


def test_the_plan_names_the_files_that_were_read(played):
    for kind in ("csv", "parquet"):
        sources = [source["uri"].rsplit("/", 1)[1] for source in played[f"folder-of-{kind}"].plan["sources"]]
        assert sources == [f"part-{index}.{kind}" for index in range(len(PARTS))]
