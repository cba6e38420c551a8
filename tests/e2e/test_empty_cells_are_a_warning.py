"""Null and empty cells in a column that the prompt shows render an empty text, and are counted. Rows in which all of these are
blank are sent only where the run asks for it. Cells that are no number in a column of numbers are counted too."""

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, parquet_bytes, topics

COUNT = 100
ALL = {"ask_blank_rows": True, "deduplicate": False}


def with_gaps(gap, kind=None) -> pa.Table:
    texts = [gap if number % 10 == 0 else topic for number, topic in enumerate(topics(COUNT))]
    # An empty cell in a column that the prompt does not show is nothing to speak of.
    return pa.table({"topic": pa.array(texts, pa.string()), "unused": [""] * COUNT})


def with_not_a_number() -> pa.Table:
    numbers = [float("nan") if number % 10 == 0 else number / 8 for number in range(COUNT)]
    return pa.table({"topic": pa.array(numbers, pa.float64()), "unused": pa.array(numbers, pa.float32())})


def play(stack):
    return stack.play_all(
        {
            "empty-cells": stack.joke(stack.put_input(csv_text(with_gaps(""))), **ALL),
            "nulls": stack.joke(stack.put_input(parquet_bytes(with_gaps(None)), "rows.parquet"), **ALL),
            "not-a-number": stack.joke(
                stack.put_input(parquet_bytes(with_not_a_number()), "rows.parquet"), deduplicate=False
            ),
        }
    )


def assert_counted(run, rows: pa.Table) -> None:
    assert_whole(run, rows, [COUNT])
    assert run.summary["warnings"] == {"empty cells in columns that the prompt shows": 10}


def test_empty_cells_of_a_csv(played):
    assert_counted(played["empty-cells"], with_gaps(""))


def test_nulls_of_parquet(played):
    assert_counted(played["nulls"], with_gaps(None))


def test_cells_that_are_no_number(played):
    run = played["not-a-number"]
    assert run.summary["warnings"] == {"cells that are NaN in columns that the prompt shows": 10}
    assert run.summary["answered"] == COUNT, "a missing number may mean something"
