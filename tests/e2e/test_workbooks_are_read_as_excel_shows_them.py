"""A sheet of an Excel workbook is a table of the texts that Excel shows."""

import datetime as dt

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import topics, workbook_bytes

COUNT = 112
FIRST_DAY = dt.date(2026, 2, 27)


def sheet() -> list[list[object]]:
    rows: list[list[object]] = [
        [topic, number, number / 8, FIRST_DAY + dt.timedelta(number), number % 2 == 0, f"00{number}", None]
        for number, topic in enumerate(topics(COUNT))
    ]
    return [["topic", "number", "price", "day", "ok", "code", "note"], *rows]


def rows() -> pa.Table:
    texts = {
        "topic": topics(COUNT),
        "number": [str(number) for number in range(COUNT)],
        "price": [f"{number / 8:g}" for number in range(COUNT)],
        "day": [str(FIRST_DAY + dt.timedelta(number)) for number in range(COUNT)],
        "ok": [str(number % 2 == 0).lower() for number in range(COUNT)],
        "code": [f"00{number}" for number in range(COUNT)],
        "note": [""] * COUNT,
    }
    return pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()})


def play(stack):
    uri = stack.put_input(workbook_bytes({"Notes": [["read me"], ["first"]], "Data": sheet()}), "Rows.XLSX")
    return stack.play(stack.joke(uri, sheet="Data"), "workbook")


def test_every_row_and_every_cell_is_kept(played):
    assert_whole(played, rows(), [COUNT])
    assert played.plan["request"]["sheet"] == "Data"
