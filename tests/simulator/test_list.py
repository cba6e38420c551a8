"""ListModelInvocationJobs: filters, order and pages."""

import time
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

import jobs
from conftest import BUCKET


@pytest.fixture
def seven(simulator, bedrock):
    """Seven jobs, a little apart; the names of the last three hold `late`."""
    simulator.behave(job_seconds=600)
    names = []
    for index in range(7):
        names.append(f"{'late' if index > 3 else 'early'}-{index}")
        bedrock.create_model_invocation_job(**jobs.request(jobName=names[-1]))
        time.sleep(0.01)
    return names


def listed(bedrock, **query):
    return [job["jobName"] for job in bedrock.list_model_invocation_jobs(**query)["invocationJobSummaries"]]


def test_jobs_are_listed_by_age(bedrock, seven):
    assert listed(bedrock, sortBy="CreationTime", sortOrder="Ascending") == seven
    assert listed(bedrock, sortOrder="Descending") == seven[::-1]
    assert listed(bedrock) == seven[::-1]


def test_filters_narrow_the_list(bedrock, seven):
    assert set(listed(bedrock, nameContains="late")) == set(seven[4:])
    assert listed(bedrock, statusEquals="Completed") == []
    assert len(listed(bedrock, statusEquals="Submitted")) == 7
    times = {
        job["jobName"]: job["submitTime"] for job in bedrock.list_model_invocation_jobs()["invocationJobSummaries"]
    }
    assert set(listed(bedrock, submitTimeAfter=times[seven[2]] + timedelta(milliseconds=2))) <= set(seven[3:])
    assert listed(bedrock, submitTimeAfter=datetime.now(UTC) + timedelta(hours=1)) == []
    assert len(listed(bedrock, submitTimeBefore=datetime.now(UTC) + timedelta(hours=1))) == 7
    assert listed(bedrock, submitTimeBefore=datetime(2020, 1, 1)) == []


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_pages_hold_every_job_once(bedrock, seven, order):
    answers = bedrock.get_paginator("list_model_invocation_jobs").paginate(
        sortOrder=order, PaginationConfig={"PageSize": 3}
    )
    pages = [[job["jobName"] for job in page["invocationJobSummaries"]] for page in answers]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert list(chain(*pages)) == (seven if order == "Ascending" else seven[::-1])


def test_a_new_job_does_not_shift_the_pages(bedrock, seven):
    first = bedrock.list_model_invocation_jobs(maxResults=4)
    bedrock.create_model_invocation_job(**jobs.request(f"s3://{BUCKET}/x/", jobName="newest"))
    second = bedrock.list_model_invocation_jobs(maxResults=4, nextToken=first["nextToken"])
    names = [job["jobName"] for page in (first, second) for job in page["invocationJobSummaries"]]
    assert names == seven[::-1]
    assert "nextToken" not in second


def test_nothing_is_listed_before_the_first_job(bedrock):
    answer = bedrock.list_model_invocation_jobs()
    assert answer["invocationJobSummaries"] == []
    assert "nextToken" not in answer
