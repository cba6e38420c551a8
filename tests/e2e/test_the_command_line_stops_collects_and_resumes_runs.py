"""`bedrock-batch stop`, `collect` and `resume`: output for scripts, messages for users, and exit codes."""

import json
import tempfile
import uuid
from pathlib import Path

import pytest

from stack.checks import assert_answered_on_demand
from stack.command_line import command_line
from stack.inputs import csv_text, topic_table
from stack.run import Run
from stack.waiting import wait_for

COUNT = 30
FIRST = 1_400_000


def play(stack):
    call = command_line(stack)
    name = f"cli-stop-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.json"
        uri = stack.put_input(csv_text(topic_table(COUNT, FIRST)))
        file.write_text(json.dumps(stack.joke(uri, requests_per_second=1.5)))
        call("start", file, "--name", name)
    run = Run(stack, name)
    wait_for("the plan", lambda: stack.keys(f"runs/{name}/plan.json"))
    wait_for("its first request", lambda: any(item.get("status") == "InProgress" for item in run.items))
    done = {"too-early": call("resume", name, exit_code=2), "stop": call("stop", name)}
    done["stop-again"] = call("stop", name, exit_code=2)
    done["collect"] = call("collect", name, "--wait")
    collected = Run(stack, done["collect"].stdout.split()[0], name)
    done["collected"] = collected.output["summary"], len(collected.rows)
    done["resume"] = call("resume", name, "--wait")
    done["status"] = call("status", name)
    with tempfile.TemporaryDirectory() as folder:
        call("download", name, folder)
        done["downloaded"] = (Path(folder) / "answers.jsonl").read_text().splitlines()
    return run, done


def test_stop_ends_the_run_and_says_how_to_continue(played):
    run, done = played
    assert run.status == "ABORTED"
    assert done["stop"].stdout == f"run {run.name}: stopped\n"
    for how in ("collect", "resume"):
        assert f"`bedrock-batch {how} {run.name}`" in done["stop"].stderr


def test_a_running_run_is_not_resumed_and_a_finished_one_is_not_stopped(played):
    _, done = played
    assert "is still running" in done["too-early"].stderr
    assert "nothing to stop" in done["stop-again"].stderr


def test_collect_prints_its_execution_and_the_totals(played):
    run, done = played
    summary, rows = done["collected"]
    assert rows == summary["records_in"] == COUNT
    assert summary["answered"] + summary["failed"] == COUNT
    assert done["collect"].stdout.startswith(f"{run.name}-collect-")
    assert f"{COUNT} in, {summary['answered']} answered, {summary['failed']} failed" in done["collect"].stdout


def test_resume_prints_its_execution_and_completes_the_run(stack, played):
    run, done = played
    resumed = Run(stack, done["resume"].stdout.split()[0], run.name)
    assert resumed.name.startswith(f"{run.name}-resume-")
    assert f"{COUNT} in, {COUNT} answered, 0 failed" in done["resume"].stdout
    assert_answered_on_demand(resumed, topic_table(COUNT, FIRST), [COUNT])


def test_status_and_download_go_by_the_name_of_the_run(played):
    run, done = played
    assert f"run {run.name}: SUCCEEDED" in done["status"].stdout
    assert len(done["downloaded"]) == COUNT


@pytest.mark.parametrize("command", ["stop", "collect", "resume"])
def test_an_unknown_run_ends_with_2(stack, command):
    assert "run `no-such-run` does not exist" in command_line(stack)(command, "no-such-run", exit_code=2).stderr
