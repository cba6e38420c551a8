"""`output_formats`: both formats hold the same rows; CSV alone writes no Parquet."""

import pyarrow as pa

from stack.inputs import csv_text, topics

COUNT = 240
CELLS = ("a,b", 'say "no"', "line\nbreak", "", "007", " x ")


def rows() -> pa.Table:
    return pa.table({"topic": topics(COUNT), "cell": [CELLS[number % len(CELLS)] for number in range(COUNT)]})


def play(stack):
    uri = stack.put_input(csv_text(rows()))
    small = {"max_records_per_job": 120}
    return stack.play_all(
        {
            "both-formats": stack.joke(uri, output_formats=["parquet", "csv"], **small),
            "csv-alone": stack.joke(uri, output_formats=["csv"], **small),
        }
    )


def as_text(row: dict) -> dict[str, str]:
    return {name: "" if cell is None else str(cell) for name, cell in row.items()}


def test_both_formats_hold_the_same_rows(played):
    run = played["both-formats"]
    assert len(run.csv_rows) == COUNT
    assert run.csv_rows == [as_text(row) for row in run.rows.to_pylist()]
    assert [row["cell"] for row in run.csv_rows] == rows()["cell"].to_pylist()


def test_both_formats_are_named_in_the_output_and_lie_there(played):
    run = played["both-formats"]
    names = [path.removeprefix(run.output["output_prefix"]) for path in run.output["output_paths"]]
    assert names == ["0000.parquet", "0000.csv", "0001.parquet", "0001.csv"]
    assert run.output["output_path_count"] == 4


def test_csv_alone_writes_no_parquet(played):
    run = played["csv-alone"]
    prefix = run.output["output_prefix"].removeprefix(f"s3://{run.stack.bucket}/")
    assert run.stack.keys(prefix) == [f"{prefix}0000.csv", f"{prefix}0001.csv"]
    assert run.csv_rows == played["both-formats"].csv_rows
