"""A byte order mark, Windows line ends, blank lines and a missing final line end are not part of any cell. Other delimiters,
encodings and compressed files are read, in one run even of several kinds."""

import bz2
import gzip

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
    return stack.play_all(
        {
            "windows": windows(stack),
            "bare-quotes": bare(stack),
            "pandas": pandas(stack),
            "kinds": kinds(stack),
            "excel": excel(stack),
        }
    )


def windows(stack) -> dict:
    text = csv_text(rows(), line_end="\r\n").rstrip(b"\r\n")
    header, _, body = text.partition(b"\r\n")
    return stack.joke(stack.put_input(b"\xef\xbb\xbf" + header + b"\r\n\r\n" + body, "ROWS.CSV"))


def bare(stack) -> dict:
    lines = [f'{topic.replace(",", "")},{number}" pipe' for number, topic in enumerate(topics(COUNT))]
    return stack.joke(stack.put_input("\n".join(["topic,size", *lines])))


def pandas(stack) -> dict:
    return stack.joke(stack.put_input(with_index().to_csv()))


def semicolons(part: pa.Table) -> str:
    return part.to_pandas().to_csv(sep=";", index=False)


def kinds(stack) -> dict:
    """A file of each kind in one folder."""
    part = [rows().slice(first, 34) for first in range(0, COUNT, 34)]
    folder = "inputs/csv-of-all-kinds"
    stack.put(f"{folder}/0.csv.gz", gzip.compress(semicolons(part[0]).encode()))
    stack.put(f"{folder}/1.csv.bz2", bz2.compress(b"\xff\xfe" + csv_text(part[1]).decode().encode("utf-16-le")))
    stack.put(f"{folder}/2.tsv", part[2].to_pandas().to_csv(sep="\t", index=False).encode())
    return stack.joke(f"s3://{stack.bucket}/{folder}/")


def excel(stack) -> dict:
    """A title, semicolons, windows-1252 and a column without a name."""
    lines = [f"{topic.replace(';', '')};{number},5 €;" for number, topic in enumerate(topics(COUNT))]
    text = "\r\n".join(["Export of reviews;;", "topic; price;", *lines, ""])
    options = {"delimiter": ";", "encoding": "windows-1252", "skip_rows": 1}
    return stack.joke(stack.put_input(text.encode("cp1252", errors="replace")), csv=options)


def test_files_of_several_kinds_are_one_input(played):
    assert_whole(played["kinds"], rows(), [COUNT])
    assert sum(played["kinds"].summary["warnings"].values()) == 1, "a delimiter that was not named"


def test_a_file_of_excel_is_read_as_the_input_describes_it(played):
    run = played["excel"]
    assert run.output["status"] == "completed"
    assert run.rows["price"].to_pylist() == [f"{number},5 €" for number in range(COUNT)]
    assert run.plan["request"]["csv"] == {"delimiter": ";", "encoding": "windows-1252", "skip_rows": 1}
    assert sorted(run.summary["warnings"].values()) == [1, 1], run.summary["warnings"]


def test_windows(played):
    assert_whole(played["windows"], rows(), [COUNT])


def test_quotes_within_unquoted_cells(played):
    run = played["bare-quotes"]
    assert run.output["status"] == "completed"
    assert run.rows["size"].to_pylist() == with_index()["size"].to_list()


def test_the_index_column_of_pandas_has_no_name(played):
    expected = {"": [str(number) for number in range(COUNT)], **with_index().to_dict("list")}
    assert_whole(played["pandas"], pa.table(expected), [COUNT])
