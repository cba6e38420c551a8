"""2,050 rows at 1,000 a job make jobs of 684, 683 and 683, and every cell comes out as it was written."""

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, topics

COUNT = 2050
NOTES = (
    "plain",
    "with, comma",
    'said "hello"',
    "two\nlines",
    "three\r\n\r\nlines",
    "  spaces  ",
    "",
    "ß–🎈 ",
    "null",
    "=1+1",
    "a\u2028b\u0085c",
)
CELLS = ("", " {code}", " {{x}} </topic>", ' \\"\\u00e4', "\t\x01\x7f", " ${x} %s \\1")


def rows() -> pa.Table:
    return pa.table(
        {
            "code": [f"{number:06}" for number in range(COUNT)],
            # What reads like a template or a tag is only a cell.
            "topic": [f"{topic}{CELLS[number % len(CELLS)]}" for number, topic in enumerate(topics(COUNT))],
            "amount": [("1e5", "1.50", "-0", "007", "1,000")[number % 5] for number in range(COUNT)],
            "flag": [("true", "False", "TRUE", "")[number % 4] for number in range(COUNT)],
            "Größe in cm": [NOTES[number % len(NOTES)] for number in range(COUNT)],
            "note": [f"{NOTES[number % len(NOTES)]}{number}" for number in range(COUNT)],
        }
    )


def play(stack):
    return stack.play(stack.joke(stack.put_input(csv_text(rows()))), "csv")


def test_every_row_is_answered_in_jobs_of_even_sizes(played):
    assert_whole(played, rows(), [684, 683, 683])


def test_each_job_has_its_own_file_of_rows(played):
    assert [len(table) for table in played.tables] == [684, 683, 683]
    assert [path.rsplit("/", 1)[1] for path in played.output["output_paths"]] == [
        "0000.parquet",
        "0001.parquet",
        "0002.parquet",
    ]
