"""Compressions, page versions and the rarer types that Parquet writers use: everything comes out unchanged, and has a
text in CSV."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from stack.checks import assert_whole
from stack.inputs import parquet_bytes, topics

COUNT = 100
MOMENT = dt.datetime(2026, 11, 20, 13, 5, 7)
COMPRESSIONS = ("none", "snappy", "gzip", "zstd", "brotli", "lz4")

# By name: the column, and what a cell of it is in CSV.
TYPES = {
    "large_list": (pa.array([[1, 2]] * COUNT, pa.large_list(pa.int64())), "[1,2]"),
    "fixed_list": (pa.array([[0.5, 2]] * COUNT, pa.list_(pa.float32(), 2)), "[0.5,2.0]"),
    "map": (pa.array([[("a", 1)]] * COUNT, pa.map_(pa.string(), pa.int32())), '{"a":1}'),
    "nested": (
        pa.array(
            [[{"a": [1], "d": dt.date(2026, 1, 1)}]] * COUNT,
            pa.list_(pa.struct([("a", pa.list_(pa.int8())), ("d", pa.date32())])),
        ),
        '[{"a":[1],"d":"2026-01-01"}]',
    ),
    "time": (pa.array([dt.time(1, 2, 3)] * COUNT, pa.time64("us")), "01:02:03"),
    "moment": (pa.array([MOMENT] * COUNT, pa.timestamp("ns")), "2026-11-20T13:05:07"),
    "half": (pa.array([np.float16(1.5)] * COUNT, pa.float16()), "1.5"),
    "decimal": (pa.array(["1.25"] * COUNT).cast(pa.decimal256(50, 2)), "1.25"),
    "category": (pa.array(["x"] * COUNT).dictionary_encode(), "x"),
    "view": (pa.array(["ü"] * COUNT, pa.string_view()), "ü"),
    "bytes": (pa.array([b"\xff\x00"] * COUNT, pa.binary(2)), "ff00"),
    "nothing": (pa.nulls(COUNT), ""),
}


def rows() -> pa.Table:
    return pa.table({"topic": topics(COUNT), **{name: column for name, (column, _) in TYPES.items()}})


def play(stack):
    plain = rows().select(["topic", "category"])
    files = {kind: parquet_bytes(plain, compression=kind) for kind in COMPRESSIONS}
    files["pages-v2"] = parquet_bytes(plain, data_page_version="2.0", use_dictionary=False)
    inputs = {name: stack.joke(stack.put_input(body, "rows.parquet")) for name, body in files.items()}
    typed = stack.put_input(parquet_bytes(rows()), "rows.pq")
    inputs["types"] = stack.joke(typed, output_formats=["parquet", "csv"])
    # As Spark writes moments.
    old = parquet_bytes(rows().select(["topic", "moment"]), use_deprecated_int96_timestamps=True)
    inputs["int96"] = stack.joke(stack.put_input(old, "rows.parquet"))
    return stack.play_all(inputs)


@pytest.mark.parametrize("name", [*COMPRESSIONS, "pages-v2"])
def test_compressions_and_pages(played, name):
    assert_whole(played[name], rows().select(["topic", "category"]), [COUNT])


def test_types(played):
    assert_whole(played["types"], rows(), [COUNT])


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_a_text_in_csv(played, name):
    assert {row[name] for row in played["types"].csv_rows} == {TYPES[name][1]}


def test_timestamps_of_spark(played):
    # As microseconds, in which far dates are what they are.
    expected = pa.table({"topic": topics(COUNT), "moment": pa.array([MOMENT] * COUNT, pa.timestamp("us"))})
    assert_whole(played["int96"], expected, [COUNT])
