"""`csv_safe_cells`: texts in CSV files that a spreadsheet would take for formulas are guarded and counted; Parquet, numbers and
later runs have them as they were. `csv_byte_order_mark`: the files begin with a mark, outside of the first name."""

import pyarrow as pa

from stack.inputs import parquet_bytes

FORMULAS = ["=1+1", "+49 170", "-1-1", "@SUM(A1)", "\tx", " =1", "\ufeff=1", "'=1"]
PLAIN = ["a cat", "-5", "'quoted'", "a=b", ""]
COUNT = 104


def texts() -> list[str]:
    cells = FORMULAS + PLAIN
    return [f"{cells[number % len(cells)]}" for number in range(COUNT)]


def rows() -> pa.Table:
    return pa.table(
        {
            "topic": [f"topic {number}" for number in range(COUNT)],
            "=cell": texts(),
            "n": pa.array([-number for number in range(COUNT)], pa.int64()),
        }
    )


def play(stack):
    uri = stack.put_input(parquet_bytes(rows()), "rows.parquet")
    safe = {"csv_safe_cells": True, "csv_byte_order_mark": True, "requests_per_second": 500}
    firsts = stack.play_all(
        {
            "safe": stack.joke(uri, output_formats=["parquet", "csv"], **safe),
            "safe-csv": stack.joke(uri, output_formats=["csv"], **safe),
            "unsafe": stack.joke(uri, output_formats=["csv"]),
            "no-csv": stack.joke(uri, **safe),
        }
    )
    previous = {"run_id": firsts["safe-csv"].run_id, "stage_name": "first"}
    second = stack.play_all({"second": stack.joke(None, previous_run=previous, output_formats=["parquet"])})
    return {**firsts, **second}


def guarded(text: str) -> str:
    return f"'{text}" if text in FORMULAS else text


def test_formulas_are_guarded_and_numbers_stay_numbers(played):
    for name in ("safe", "safe-csv"):
        written = played[name].csv_rows
        assert [row["'=cell"] for row in written] == [guarded(text) for text in texts()], name
        assert [row["n"] for row in written] == [str(-number) for number in range(COUNT)], name


def test_files_have_a_byte_order_mark_only_where_it_was_wanted(played):
    for name, wanted in (("safe", True), ("safe-csv", True), ("unsafe", False)):
        run = played[name]
        paths = [path for path in run.output["output_paths"] if path.endswith(".csv")]
        assert paths
        assert [run.stack.read(path).startswith(b"\xef\xbb\xbf") for path in paths] == [wanted] * len(paths), name


def test_they_are_counted(played):
    cells = sum(text in FORMULAS for text in texts())
    # One file, whose header has a name that begins like a formula.
    assert played["safe"].summary["guarded_cells"] == cells + 1
    assert played["unsafe"].summary["guarded_cells"] == 0


def test_parquet_has_them_as_they_were(played):
    assert played["safe"].rows["=cell"].to_pylist() == texts()


def test_without_the_option_nothing_changes(played):
    assert [row["=cell"] for row in played["unsafe"].csv_rows] == texts()


def test_a_later_run_reads_them_as_they_were(played):
    assert played["second"].rows["=cell"].to_pylist() == texts()


def test_without_csv_the_option_is_refused(played):
    error, cause = played["no-csv"].failure()
    assert error == "InvalidInput"
    assert "csv_safe_cells: concerns CSV files, and output_formats does not contain `csv`" in cause
