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


def put_files_of_other_columns(stack) -> str:
    """Files of several days and countries, as different programs have written them."""
    folder = "inputs/files-of-other-columns"
    first, _, last = parts()
    scores = pa.array([7] * len(first), pa.int64())
    stack.put(f"{folder}/country=DE/part-0.parquet", parquet_bytes(first.append_column("score", scores)))
    stack.put(f"{folder}/country=DE/part-1.parquet", b"")
    stack.put(f"{folder}/country=DE/part-2.parquet", parquet_bytes(pa.table({"topic": pa.nulls(0)})))
    halves = pa.array([0.5] * len(last), pa.float64())
    other = pa.table({"score": halves, "note": ["x"] * len(last), "topic": last["topic"].cast(pa.large_string())})
    stack.put(f"{folder}/country=a%2Fb/part-0.parquet", parquet_bytes(other))
    return f"s3://{stack.bucket}/{folder}/"


def play(stack):
    return stack.play_all(
        {
            "other-columns": stack.joke(put_files_of_other_columns(stack)),
            "folder-of-csv": stack.joke(put_folder(stack, "csv", csv_text)),
            "folder-of-parquet": stack.joke(put_folder(stack, "parquet", parquet_bytes) + "/"),
        }
    )


def test_csv_files_are_read_one_after_the_other(played):
    assert_whole(played["folder-of-csv"], pa.concat_tables(parts()), [220])


def test_parquet_files_are_read_one_after_the_other(played):
    assert_whole(played["folder-of-parquet"], pa.concat_tables(parts()), [220])


def test_files_of_other_columns_are_one_table(played):
    first, _, last = parts()
    run = played["other-columns"]
    rows = pa.table(
        {
            "topic": pa.concat_arrays([*first["topic"].chunks, *last["topic"].chunks]),
            "score": pa.array([7.0] * len(first) + [0.5] * len(last)),
            "country": ["DE"] * len(first) + ["a/b"] * len(last),
            "note": [None] * len(first) + ["x"] * len(last),
        }
    )
    assert_whole(run, rows, [len(rows)])
    assert run.summary["warnings"] == {
        "files without rows, which are passed over": 2,
        "files without the column `note`, which is null in their rows": 1,
    }


def test_ignored_objects_are_counted_as_a_warning(played):
    for run in (played["folder-of-csv"], played["folder-of-parquet"]):
        assert sum(run.summary["warnings"].values()) == 2, run.summary["warnings"]


def test_the_plan_names_the_files_that_were_read(played):
    for kind in ("csv", "parquet"):
        sources = [source["uri"].rsplit("/", 1)[1] for source in played[f"folder-of-{kind}"].plan["sources"]]
        assert sources == [f"part-{index}.{kind}" for index in range(len(PARTS))]
