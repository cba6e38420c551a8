"""A byte order mark, Windows line ends, blank lines and no line end at the end are no part of any cell."""

import pyarrow as pa
from stack.checks import assert_whole
from stack.inputs import csv_text, topics

COUNT = 102


def rows() -> pa.Table:
    return pa.table({"topic": topics(COUNT), "note": [f"{number}\r\nsecond line" for number in range(COUNT)]})


def play(stack):
    text = csv_text(rows(), line_end="\r\n").rstrip(b"\r\n")
    header, _, body = text.partition(b"\r\n")
    return stack.play(stack.joke(stack.put_input(b"\xef\xbb\xbf" + header + b"\r\n\r\n" + body, "ROWS.CSV")), "windows")


def test_cells_are_what_was_written(played):
    assert_whole(played, rows(), [COUNT])
