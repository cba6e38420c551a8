"""A date64 column of a Parquet file comes out as dates, not as numbers."""

import datetime as dt

import pyarrow as pa

from stack.inputs import parquet_bytes, topics

COUNT = 100


def rows() -> pa.Table:
    return pa.table({"topic": topics(COUNT), "day": pa.array([dt.date(2026, 1, 1)] * COUNT, pa.date64())})


def play(stack):
    return stack.play(stack.joke(stack.put_input(parquet_bytes(rows()), "rows.parquet")), "date64")


def test_dates_stay_dates(played):
    assert pa.types.is_date(played.rows.schema.field("day").type), played.rows.schema.field("day").type
    assert played.rows["day"].to_pylist() == rows()["day"].to_pylist()
