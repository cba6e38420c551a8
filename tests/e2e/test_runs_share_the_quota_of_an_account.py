"""Eight concurrent runs in an account that may have three jobs of their model, as Service Quotas says: Bedrock refuses none of
their jobs, and all complete."""

import json

import pytest

from stack.checks import assert_whole
from stack.contract import function_name
from stack.deployed import unique
from stack.inputs import csv_text, topic_table
from stack.local import SCARCE_MODEL, SCARCE_QUOTA

RUNS = 8
JOBS_OF_FIRST = 5
COUNT = 100


def rows(number: int):
    return topic_table(COUNT * (JOBS_OF_FIRST if number == 0 else 1), 100_000 + 1_000 * number)


def play(stack):
    name = unique("places")
    stack.simulator.behave(f"/{name}-", job_seconds=0.5)
    runs = []
    for number in range(RUNS):
        request = stack.joke(stack.put_input(csv_text(rows(number))))
        request |= {"model_id": SCARCE_MODEL, "max_records_per_job": COUNT, "processing_mode": "batch"}
        runs.append(stack.start(request, name))
    return [run.wait() for run in runs]


@pytest.mark.parametrize("number", range(RUNS))
def test_all_complete(played, number):
    assert_whole(played[number], rows(number), [COUNT] * (JOBS_OF_FIRST if number == 0 else 1))


def test_bedrock_refuses_no_job(stack, played):
    log = stack.logged(function_name("submit"), "QuotaExceeded")
    waits = stack.logged(function_name("submit"), "job_waits_for_place")
    jobs = [job["name"] for run in played for job in run.json("jobs.json")]
    refused = sum(any(job in line for job in jobs) for line in log)
    waited = sum(any(job in line for job in jobs) for line in waits)
    assert refused == waited, "a job that found no place is not sent to Bedrock, and every other one is accepted"
    assert waited > 0, "the places were never all taken"


def test_all_places_are_given_back(stack, played):
    key = "job_places/" + SCARCE_MODEL.split(".", 1)[1]
    places = json.loads(stack.table.get_item(Key={"job_name": key}, ConsistentRead=True)["Item"]["places"])
    assert places["limit"] == SCARCE_QUOTA
    assert [run["held"] for run in places["runs"].values() if run["held"]] == []
