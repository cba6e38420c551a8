"""The `record_id` of an input identifies its rows; it comes first, and numbers from Parquet become text."""

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, parquet_bytes, topics

COUNT = 105
# What looks like a suffix of expanded prompts is just a part of the id here.
CSV_IDS = [f"Äpfel/{number:03} -00{number % 3 + 1}" for number in range(COUNT)]
NUMBERS = list(range(COUNT, 0, -1))


def csv_rows() -> pa.Table:
    return pa.table({"topic": topics(COUNT), "record_id": CSV_IDS, "n": [str(number) for number in NUMBERS]})


def parquet_rows() -> pa.Table:
    return pa.table({"topic": topics(COUNT), "record_id": pa.array(NUMBERS, pa.int32())})


def play(stack):
    return stack.play_all(
        {
            "ids-of-csv": stack.joke(stack.put_input(csv_text(csv_rows()))),
            "ids-of-parquet": stack.joke(stack.put_input(parquet_bytes(parquet_rows()), "rows.parquet")),
        }
    )


def test_ids_of_a_csv(played):
    assert_whole(played["ids-of-csv"], csv_rows(), [COUNT], CSV_IDS)


def test_numbers_as_ids(played):
    assert_whole(played["ids-of-parquet"], parquet_rows(), [COUNT], [str(number) for number in NUMBERS])
