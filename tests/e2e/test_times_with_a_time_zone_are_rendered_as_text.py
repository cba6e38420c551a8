"""Timestamps with a time zone, as pandas and Spark write them: in a prompt, in CSV and in a download."""

import datetime as dt
import json
import subprocess

import pyarrow as pa
import pytest

from stack.checks import assert_rows_kept
from stack.inputs import parquet_bytes, topics
from stack.local import command_line_program

COUNT = 100
MOMENT = dt.datetime(2026, 7, 20, 13, 5, 7)
ZONES = ("UTC", "Europe/Berlin", "+02:00")


def rows(zone: str) -> pa.Table:
    moments = pa.array([MOMENT + dt.timedelta(hours=number) for number in range(COUNT)], pa.timestamp("us", zone))
    return pa.table({"topic": topics(COUNT), "moment": moments})


def play(stack):
    inputs = {}
    for zone in ZONES:
        uri = stack.put_input(parquet_bytes(rows(zone)), "rows.parquet")
        inputs[f"csv-{ZONES.index(zone)}"] = stack.joke(uri, output_formats=["parquet", "csv"])
        inputs[f"parquet-{ZONES.index(zone)}"] = stack.joke(uri)
        shown = parquet_bytes(pa.table({"topic": rows(zone)["moment"]}))
        inputs[f"prompt-{ZONES.index(zone)}"] = stack.joke(stack.put_input(shown, "rows.parquet"))
    return stack.play_all(inputs)


def as_moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize("zone", ZONES)
def test_in_csv(played, zone):
    run = played[f"csv-{ZONES.index(zone)}"]
    assert_rows_kept(run, rows(zone))
    assert [as_moment(row["moment"]) for row in run.csv_rows] == rows(zone)["moment"].to_pylist()


@pytest.mark.parametrize("zone", ZONES)
def test_in_a_prompt(played, zone):
    run = played[f"prompt-{ZONES.index(zone)}"]
    assert run.output["status"] == "completed"
    for number, model_input in enumerate(run.records[f"r{position:09}"] for position in range(COUNT)):
        text = model_input["messages"][0]["content"][0]["text"]
        # The rules around it name the tags, too.
        shown = text.split("\n\n")[1].removeprefix("<topic>").removesuffix("</topic>")
        assert as_moment(shown) == rows(zone)["moment"][number].as_py()


@pytest.mark.parametrize("zone", ZONES)
def test_in_a_download(stack, played, zone, tmp_path):
    run = played[f"parquet-{ZONES.index(zone)}"]
    command = [command_line_program(), "download", run.name, tmp_path / "answers"]
    done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "answers" / "answers.jsonl").read_text().splitlines()
    moments = [as_moment(json.loads(line)["moment"]) for line in lines]
    assert moments == rows(zone)["moment"].to_pylist()
