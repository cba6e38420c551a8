"""A column called `response` or `error` in the input becomes `input_response` or `input_error`, with unchanged
cells."""

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, topics

COUNT = 100


def rows() -> pa.Table:
    numbers = [str(number) for number in range(COUNT)]
    return pa.table({"response": [f"old {n}" for n in numbers], "topic": topics(COUNT), "error": numbers})


def play(stack):
    return stack.play(stack.joke(stack.put_input(csv_text(rows()))), "clash")


def test_old_columns_are_kept_under_a_new_name(played):
    assert_whole(played, rows(), [COUNT])
    assert played.rows["input_response"].to_pylist() == rows()["response"].to_pylist()
    assert not set(played.rows["response"].to_pylist()) & set(rows()["response"].to_pylist())
