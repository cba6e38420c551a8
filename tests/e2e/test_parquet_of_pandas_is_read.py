"""Parquet files of pandas: categories, an index column, strings of its own type; and a prompt shows numbers as text."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stack.checks import assert_jobs, assert_own_answers, assert_totals
from stack.inputs import topics

COUNT = 120


def frame() -> pd.DataFrame:
    columns = pd.DataFrame(
        {
            "topic": pd.Series(range(1000, 1000 + COUNT), dtype="int64"),
            "kind": pd.Categorical(["cat" if number % 3 else "dog" for number in range(COUNT)]),
            "text": topics(COUNT),
            "maybe": pd.array([None if number % 5 else number for number in range(COUNT)], dtype="Int64"),
        }
    )
    return columns.set_index(pd.Index([number * number for number in range(COUNT)], name="line"))


def play(stack):
    buffer = io.BytesIO()
    frame().to_parquet(buffer)
    return stack.play(stack.joke(stack.put_input(buffer.getvalue(), "frame.parquet")), "pandas")


def test_all_columns_are_kept(played):
    out = played.rows.to_pandas().set_index("line")
    for name in ("topic", "kind", "text", "maybe"):
        expected = [None if pd.isna(cell) else cell for cell in frame()[name]]
        assert [None if pd.isna(cell) else cell for cell in out[name]] == expected, name
    assert out.index.to_list() == frame().index.to_list()
    types = {name: played.rows.schema.field(name).type for name in ("topic", "kind", "maybe")}
    assert (types["topic"], types["maybe"]) == (pa.int64(), pa.int64())
    assert pa.types.is_dictionary(types["kind"])


def test_numbers_are_shown_to_the_model_as_text(played):
    assert_own_answers(played)
    assert pc.all(pc.is_null(played.rows["error"])).as_py()
    assert_jobs(played, [COUNT])
    assert_totals(played, COUNT, COUNT)
