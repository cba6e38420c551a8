"""Bedrock's events are best effort. A silent job is checked on a schedule: a run whose events are all lost completes, a
job whose execution is gone or that is hours late is stopped, and without open jobs Bedrock gets no request."""

import json

import pytest

from stack.checks import assert_own_answers, assert_rows_kept, assert_totals, assert_whole
from stack.contract import function_name
from stack.deployed import CLAUDE
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 240
NOTHING = {"open": 0, "settled": 0, "stopped": 0, "failed": 0}


@pytest.fixture
def reconcile(stack):
    function = function_name("reconcile")
    return lambda: stack.invoke(function, {})


def test_a_run_whose_events_are_all_lost_completes(stack, reconcile):
    wanted = stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=120)
    run = stack.start(wanted, "no-events", event_lost_rate=1)
    wait_for("both jobs to be over", lambda: [job["status"] for job in run.jobs] == ["Completed"] * 2)
    assert run.status == "RUNNING", "nobody has told it"
    wait_for("the run to hear of it", lambda: reconcile() and run.status != "RUNNING")
    assert_whole(run, topic_table(COUNT), [120, 120])


def test_a_job_that_is_hours_late_is_stopped_and_its_rows_are_retried(stack, reconcile):
    wanted = stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=120)
    late = {"overdue_hours": 30, "in_progress_seconds": 600, "only_inputs": ["/0000.jsonl"]}
    run = stack.start(wanted, "hours-late", **late)
    wait_for("the late job to be stopped", lambda: reconcile() and "Stopped" in [job["status"] for job in run.jobs])
    run.wait()
    assert [job["status"] for job in run.jobs] == ["Stopped", "Completed", "Completed"]
    assert_rows_kept(run, topic_table(COUNT))
    assert_own_answers(run)
    assert_totals(run, COUNT, answered=COUNT)
    (warning,) = (text for text in run.summary["warnings"] if "after their timeout" in text)
    assert run.summary["warnings"][warning] == 1


def wait_until_nothing_is_open(reconcile) -> None:
    """Lets the reconciler settle jobs that other scenarios have left open without a waiting execution."""
    wait_for("nothing to be open", lambda: reconcile() == NOTHING)


def test_a_job_that_is_not_silent_is_left_alone(stack, misbehaving, reconcile):
    wait_until_nothing_is_open(reconcile)
    misbehaving(job_seconds=3)
    run = stack.start(stack.joke(stack.put_input(csv_text(topic_table(100)))), "lively")
    wait_for("the job", lambda: run.jobs)
    assert reconcile()["open"] == 0
    assert_whole(run.wait(), topic_table(100), [100])


def test_a_job_of_an_execution_that_is_gone_is_stopped(stack, reconcile):
    run = stack.play(stack.joke(stack.put_input(csv_text(topic_table(100)))), "to-orphan")
    run.behave(job_seconds=60)
    (job,) = run.json("jobs.json")
    orphan = {**job, "name": f"orphan-of-{run.name}", "output_uri": f"{job['output_uri']}orphan/"}
    about = {"run_id": f"{run.name}-gone", "model_id": CLAUDE, "invocation_type": "InvokeModel", "falls_back": False}
    arn = f"{run.arn}-gone"
    stack.invoke(
        function_name("submit"),
        {"task_token": "token-of-nobody", "execution_arn": arn, "job": orphan, **about},
    )

    def at_bedrock() -> str:
        (status,) = (found["status"] for found in stack.simulator.jobs() if found["jobName"] == orphan["name"])
        return status

    def item() -> dict:
        return stack.table.get_item(Key={"job_name": orphan["name"]}, ConsistentRead=True)["Item"]

    assert at_bedrock() not in {"Stopped", "Stopping"}
    wait_for("the job to be stopped", lambda: reconcile() and at_bedrock() == "Stopped")
    wait_for("it to be settled", lambda: reconcile() and "open" not in item())


def test_without_open_jobs_bedrock_gets_no_request(stack, misbehaving, reconcile):
    wait_until_nothing_is_open(reconcile)
    stack.simulator.forget()
    assert reconcile() == NOTHING
    assert stack.simulator.calls() == {}, json.dumps(stack.simulator.calls())
