"""Rows for scenarios, and the files that hold them."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq

SUBJECTS = (
    "a cat",
    "ein Käsebrötchen",
    "жёлтый трамвай",
    "una siesta",
    "猫のカフェ",
    "the office plant",
    "pół litra żuru",
)


def topics(count: int, first: int = 0) -> list[str]:
    """Different topics."""
    return [f"{SUBJECTS[number % len(SUBJECTS)]}, number {number}" for number in range(first, first + count)]


def topic_table(count: int, first: int = 0) -> pa.Table:
    return pa.table({"topic": topics(count, first)})


def csv_text(table: pa.Table, line_end: str = "\n") -> bytes:
    """The table, all of texts, as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue().encode()


def parquet_bytes(table: pa.Table, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def texts_of_csv(data: bytes) -> pa.Table:
    """Returns a CSV as a table of its texts, unchanged."""
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(header)})
