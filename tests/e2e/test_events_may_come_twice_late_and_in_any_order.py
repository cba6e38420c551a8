"""Events are hints: repeated, delayed, reordered or false ones, and those about unknown jobs, do not change the
outcome."""

import itertools
import json

from stack.checks import assert_whole
from stack.contract import function_name
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 440
SIZES = [110] * 4
STATUSES = ("Submitted", "Validating", "Scheduled", "InProgress", "Completed")


def play(stack):
    execution_input = stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=110)
    disorder = stack.start(execution_input, "disorder", event_duplicate_rate=1, event_delay_seconds=1.5, seed=3)
    return {"events": stack.play(execution_input, "events"), "disorder": disorder.wait()}


def event(job: dict, status: str) -> dict:
    """An event in Bedrock's format; its fields about the state of the job are wrong."""
    detail = {
        "version": "0.0",
        "accountId": "000000000000",
        "batchJobName": job["jobName"],
        "batchJobArn": job["jobArn"],
        "batchModelId": job["modelId"],
        "status": status,
        "failureMessage": "",
        "creationTime": "Nov 20, 2026, 1:05:07 PM",
    }
    return {"Source": "local.bedrock", "DetailType": "Batch Inference Job State Change", "Detail": json.dumps(detail)}


def settled(stack, name: str) -> int:
    """The number of times that the event function has read this job."""
    return len(stack.logged(function_name("job-status"), '"job_settled"', name))


def send(stack, events: list[dict]) -> None:
    assert stack.events.put_events(Entries=events)["FailedEntryCount"] == 0


def test_every_event_twice_and_in_another_order(stack, played):
    run = played["disorder"]
    assert_whole(run, topic_table(COUNT), SIZES)
    # Also those that come after everything is over.
    names = [job["jobName"] for job in run.jobs]
    wait_for("all ten events of each job", lambda: all(settled(stack, name) >= 2 * len(STATUSES) for name in names))
    assert_whole(run, topic_table(COUNT), SIZES)


def test_any_order_and_repetition_after_the_end_changes_nothing(stack, played):
    run = played["events"]
    items = run.items
    job = run.jobs[0]
    before = settled(stack, job["jobName"])
    orders = [order for order in itertools.permutations(STATUSES) if order[0] == "Completed"][:6]
    for order in orders:
        send(stack, [event(job, status) for status in order])
    wait_for("all events to be handled", lambda: settled(stack, job["jobName"]) >= before + 6 * len(STATUSES))
    assert run.items == items
    assert_whole(run, topic_table(COUNT), SIZES)


def test_a_false_event_ends_nothing(stack):
    run = stack.start(stack.joke(stack.put_input(csv_text(topic_table(110)))), "false-event", job_seconds=12)
    wait_for("the job", lambda: run.items and run.items[0].get("job_arn"))
    (job,) = run.jobs
    before = settled(stack, job["jobName"])
    send(stack, [event(job, "Completed"), event(job, "Failed")])
    wait_for("both to be handled", lambda: settled(stack, job["jobName"]) >= before + 2)
    (item,) = run.items
    assert item["status"] not in {"Completed", "Failed"}
    assert "answered" not in item or item["answered"] is False
    assert run.status == "RUNNING"
    assert_whole(run.wait(), topic_table(110), [110])


def test_jobs_of_others_are_left_alone(stack, played):
    job = {**played["events"].jobs[0], "jobName": "a-job-of-somebody-else"}
    answer = stack.invoke(function_name("job-status"), {"detail": json.loads(event(job, "Completed")["Detail"])})
    assert answer is None
    assert "Item" not in stack.table.get_item(Key={"job_name": job["jobName"]})
