"""Keys with spaces, signs and letters of all kinds, and partitioned folders."""

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, topic_table

COUNT = 120


def play(stack):
    odd = stack.put("inputs/odd/Größe + Preis (1)=x&y%20'z.csv", csv_text(topic_table(COUNT)))
    for index, year in enumerate((2025, 2026)):
        stack.put(f"inputs/partitions/year={year}/part.csv", csv_text(topic_table(60, 60 * index)))
    # As the consoles of S3 make folders.
    stack.put("inputs/partitions/", b"")
    return stack.play_all(
        {"odd-key": stack.joke(odd), "partitions": stack.joke(f"s3://{stack.bucket}/inputs/partitions")}
    )


def test_an_odd_key(played):
    assert_whole(played["odd-key"], topic_table(COUNT), [COUNT])


def test_files_in_folders_below_the_prefix(played):
    rows = pa.concat_tables([topic_table(60), topic_table(60, 60)])
    assert_whole(played["partitions"], rows.append_column("year", [["2025"] * 60 + ["2026"] * 60]), [COUNT])
