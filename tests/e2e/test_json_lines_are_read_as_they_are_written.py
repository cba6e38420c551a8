"""Files of JSON lines are one table: types from the values, nested values as JSON, missing members null."""

import gzip
import json

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import topics

COUNT = 220
FIRST = 120


def objects() -> list[dict]:
    """Rows whose second half lacks a member and has another one."""
    rows = [
        {
            "topic": topic,
            "number": 2**60 + number,
            "price": number if number % 2 else number / 8,
            "tags": ["a", None, "c"][: number % 4],
            "about": {"z": [1, {"b": 'ü, "x"'}], "a": number},
            "code": f"00{number}",
        }
        for number, topic in enumerate(topics(COUNT))
    ]
    for row in rows[FIRST:]:
        del row["code"]
        row["late"] = True
    return rows


def rows() -> pa.Table:
    written = objects()
    about = [json.dumps(row["about"], ensure_ascii=False, separators=(",", ":")) for row in written]
    return pa.table(
        {
            "topic": pa.array([row["topic"] for row in written], pa.string()),
            "number": pa.array([row["number"] for row in written], pa.int64()),
            "price": pa.array([row["price"] for row in written], pa.float64()),
            "tags": pa.array([row["tags"] for row in written], pa.list_(pa.string())),
            "about": pa.array(about, pa.string()),
            "code": pa.array([row.get("code") for row in written], pa.string()),
            "late": pa.array([row.get("late") for row in written], pa.bool_()),
        }
    )


def play(stack):
    folder = "inputs/json-lines"
    lines = [json.dumps(row, ensure_ascii=False) for row in objects()]
    stack.put(f"{folder}/a.jsonl.gz", gzip.compress("\n".join(lines[:FIRST]).encode()))
    stack.put(f"{folder}/b.ndjson", "\r\n\r\n".join(lines[FIRST:]).encode())
    return stack.play(stack.joke(f"s3://{stack.bucket}/{folder}/"), "json-lines")


def test_every_row_and_every_value_is_kept(played):
    assert_whole(played, rows(), [COUNT])


def test_blank_lines_are_counted_as_a_warning(played):
    assert played.summary["warnings"] == {"blank lines of JSON lines, passed over": COUNT - FIRST - 1}
