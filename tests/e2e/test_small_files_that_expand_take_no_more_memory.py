"""Files of some kilobytes that expand to gigabytes: preprocess reads them within its memory, or refuses them with the limit."""

import pyarrow as pa
import pytest

from stack.inputs import parquet_bytes

ROWS = 400


def shared(size: int) -> bytes:
    """One text in all rows, which the file has once."""
    column = pa.array(["x" * size]).dictionary_encode()
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), column.dictionary)
    table = pa.table({"topic": [f"topic {number}" for number in range(ROWS)], "document": texts.cast(pa.string())})
    return parquet_bytes(table, compression="zstd", dictionary_pagesize_limit=1 << 30)


def play(stack):
    def put(data: bytes, name: str = "rows.parquet") -> str:
        return stack.put_input(data, name)

    columns = ",".join(f"c{number}" for number in range(40_000))
    one_cell = pa.table({"topic": ["x" * (40 << 20)] * 2})
    return stack.play_all(
        {
            "shared-text": stack.joke(put(shared(600_000)), max_records_per_job=100, requests_per_second=500),
            "many-columns": stack.joke(put(f"topic,{columns}\n".encode(), "rows.csv")),
            "huge-cell": stack.joke(put(parquet_bytes(one_cell, compression="zstd"))),
        }
    )


def test_a_text_that_all_rows_share_is_in_all_rows(played):
    run = played["shared-text"]
    assert run.summary["answered"] == ROWS
    assert run.rows["document"].to_pylist() == ["x" * 600_000] * ROWS


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("many-columns", "has 40001 columns; at most 5000 are read"),
        ("huge-cell", "column `topic`: has 41943040 bytes; at most 32 MiB are read"),
    ],
)
def test_files_over_a_limit_are_refused_with_it(played, name, rule):
    error, cause = played[name].failure()
    assert error == "InvalidInput"
    assert rule in cause
    assert played[name].jobs == []
