"""A byte order mark, Windows line ends, blank lines and a missing final line end are not part of any cell."""

import pandas as pd
import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, topics

COUNT = 102


def rows() -> pa.Table:
    return pa.table({"topic": topics(COUNT), "note": [f"{number}\r\nsecond line" for number in range(COUNT)]})


def with_index() -> pd.DataFrame:
    return pd.DataFrame({"topic": topics(COUNT), "size": [f'{number}" pipe' for number in range(COUNT)]})


def play(stack):
    return stack.play_all({"windows": windows(stack), "bare-quotes": bare(stack), "pandas": pandas(stack)})


def windows(stack) -> dict:
    text = csv_text(rows(), line_end="\r\n").rstrip(b"\r\n")
    header, _, body = text.partition(b"\r\n")
    return stack.joke(stack.put_input(b"\xef\xbb\xbf" + header + b"\r\n\r\n" + body, "ROWS.CSV"))


def bare(stack) -> dict:
    lines = [f'{topic.replace(",", "")},{number}" pipe' for number, topic in enumerate(topics(COUNT))]
    return stack.joke(stack.put_input("\n".join(["topic,size", *lines])))


def pandas(stack) -> dict:
    return stack.joke(stack.put_input(with_index().to_csv()))


def test_windows(played):
    assert_whole(played["windows"], rows(), [COUNT])


def test_quotes_within_unquoted_cells(played):
    run = played["bare-quotes"]
    assert run.output["status"] == "completed"
    assert run.rows["size"].to_pylist() == with_index()["size"].to_list()


def test_the_index_column_of_pandas_has_no_name(played):
    expected = {"": [str(number) for number in range(COUNT)], **with_index().to_dict("list")}
    assert_whole(played["pandas"], pa.table(expected), [COUNT])
