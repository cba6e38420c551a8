"""Columns of a Parquet file come out with the types, values and nulls that they went in with."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import parquet_bytes, topics

COUNT = 230
DAY = dt.date(2026, 2, 28)
NOON = dt.datetime(2026, 2, 28, 12, 30, 0, 123456)


def column(make, kind: pa.DataType) -> pa.Array:
    """A value for each row, every seventh null."""
    return pa.array([None if number % 7 == 3 else make(number) for number in range(COUNT)], kind)


def rows() -> pa.Table:
    return pa.table(
        {
            "topic": pa.array(topics(COUNT), pa.string()),
            "long_text": column(lambda n: f"text {n}", pa.large_string()),
            "tiny": column(lambda n: n % 128 - 64, pa.int8()),
            "whole": column(lambda n: n * 10**15, pa.int64()),
            "unsigned": column(lambda n: 2**64 - 1 - n, pa.uint64()),
            "single": column(lambda n: n / 8, pa.float32()),
            "double": column(lambda n: n / 3, pa.float64()),
            "flag": column(lambda n: n % 2 == 0, pa.bool_()),
            "day": column(lambda n: DAY + dt.timedelta(n), pa.date32()),
            "moment": column(lambda n: NOON + dt.timedelta(hours=n), pa.timestamp("us")),
            "moment_in_zone": column(lambda n: NOON + dt.timedelta(hours=n), pa.timestamp("ms", "UTC")),
            "price": column(lambda n: Decimal(n) / 100, pa.decimal128(12, 2)),
            "raw": column(lambda n: bytes([n % 256, 0, 255]), pa.binary()),
            "numbers": column(lambda n: list(range(n % 4)), pa.list_(pa.int32())),
            "words": column(lambda n: ["a", None, "c"][: n % 4], pa.list_(pa.string())),
            "place": column(
                lambda n: {"lat": n / 7, "name": None if n % 2 else "x"},
                pa.struct([("lat", pa.float64()), ("name", pa.string())]),
            ),
            "empty": pa.nulls(COUNT, pa.int64()),
        }
    )


def play(stack):
    uri = stack.put_input(parquet_bytes(rows(), row_group_size=64), "rows.parquet")
    return stack.play(stack.joke(uri, max_records_per_job=150), "parquet")


def test_every_row_and_every_type_is_kept(played):
    assert_whole(played, rows(), [115, 115])
