"""The answers of the simulator follow AWS's service model, field by field, without unknown fields."""

import pytest

import jobs
from conftest import BUCKET
from service_model import BEDROCK, RUNTIME, operation, problems, shape


def assert_shape(model, name, answer):
    assert problems(model, operation(model, name)["output"]["shape"], answer or {}) == []


@pytest.fixture
def all_kinds_of_jobs(simulator, bedrock, s3):
    """Jobs that between them show every field: a complete one with everything in the request, and a failed one."""
    uri = jobs.put_input(s3)
    complete = jobs.create(
        bedrock,
        uri,
        clientRequestToken="token-1",
        timeoutDurationInHours=48,
        vpcConfig={"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        modelInvocationType="InvokeModel",
    )
    failed = jobs.create(bedrock, f"s3://{BUCKET}/nowhere/")
    jobs.finish(bedrock, complete)
    jobs.finish(bedrock, failed)
    return [complete, failed]


def test_get_has_the_fields_of_the_model_and_all_of_them(simulator, all_kinds_of_jobs):
    seen = set()
    for arn in all_kinds_of_jobs:
        status, headers, answer = simulator.request("GET", f"/model-invocation-job/{arn[-12:]}")
        assert (status, headers["content-type"]) == (200, "application/json")
        assert_shape(BEDROCK, "GetModelInvocationJob", answer)
        seen |= set(answer)
    assert seen == set(shape(BEDROCK, "GetModelInvocationJobResponse")["members"])


def test_every_status_on_the_way_has_the_shape(simulator, bedrock, s3):
    # Slow enough for none to be missed.
    simulator.behave(job_seconds=8)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    statuses: list[str] = []
    while not statuses or statuses[-1] not in jobs.FINAL:
        answer = simulator.request("GET", f"/model-invocation-job/{arn[-12:]}")[2]
        assert_shape(BEDROCK, "GetModelInvocationJob", answer)
        if answer["status"] not in statuses:
            statuses.append(answer["status"])
            if answer["status"] in ("Submitted", "Validating", "Scheduled"):
                assert answer.get("totalRecordCount", 0) == 0
    assert statuses == ["Submitted", "Validating", "Scheduled", "InProgress", "Completed"]


def test_list_has_the_fields_of_the_model_and_all_of_them(simulator, all_kinds_of_jobs):
    answer = simulator.request("GET", "/model-invocation-jobs?maxResults=1")[2]
    assert_shape(BEDROCK, "ListModelInvocationJobs", answer)
    assert set(answer) == {"invocationJobSummaries", "nextToken"}
    answer = simulator.request("GET", "/model-invocation-jobs")[2]
    assert_shape(BEDROCK, "ListModelInvocationJobs", answer)
    seen = set().union(*answer["invocationJobSummaries"])
    assert seen == set(shape(BEDROCK, "ModelInvocationJobSummary")["members"])


def test_stop_answers_with_nothing(simulator, bedrock, s3):
    simulator.behave(job_seconds=20)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    status, _, answer = simulator.request("POST", f"/model-invocation-job/{arn[-12:]}/stop")
    assert status == 200
    assert_shape(BEDROCK, "StopModelInvocationJob", answer)


def test_converse_answers_in_shape(simulator):
    body = {"messages": [{"role": "user", "content": [{"text": "Hello there"}]}]}
    status, _, answer = simulator.request("POST", f"/model/{jobs.MODEL}/converse", body)
    assert status == 200
    assert_shape(RUNTIME, "Converse", answer)


def test_invoke_answers_with_the_headers_of_the_model(simulator):
    path = f"/model/{jobs.MODEL}/invoke"
    status, headers, _ = simulator.request("POST", path, jobs.claude_body("Hello there"))
    assert (status, headers["content-type"]) == (200, "application/json")
    for name in ["Input-Token-Count", "Output-Token-Count", "Invocation-Latency"]:
        assert int(headers[f"X-Amzn-Bedrock-{name}"]) >= 0
