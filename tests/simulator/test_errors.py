"""Every error of the service model that the four operations share, by name and HTTP status."""

from functools import partial

import pytest
from botocore.exceptions import ClientError

import jobs
from conftest import BUCKET
from service_model import BEDROCK, RUNTIME, error_status, operation

OPERATIONS = {
    "CreateModelInvocationJob": lambda client: client.create_model_invocation_job(**jobs.request()),
    "GetModelInvocationJob": lambda client: client.get_model_invocation_job(jobIdentifier="abcdefghijkl"),
    "ListModelInvocationJobs": lambda client: client.list_model_invocation_jobs(),
    "StopModelInvocationJob": lambda client: client.stop_model_invocation_job(jobIdentifier="abcdefghijkl"),
}


def refusal(model, name, call):
    """The error of a call, which must be one that the model gives the operation, with its status."""
    with pytest.raises(ClientError) as caught:
        call()
    code = caught.value.response["Error"]["Code"]
    assert code in {error["shape"] for error in operation(model, name)["errors"]}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == error_status(model, code)
    assert caught.value.response["Error"]["Message"]
    return code


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("code", "behaviour"),
    [
        ("ThrottlingException", {"create_throttle_rate": 1, "read_throttle_rate": 1}),
        ("InternalServerException", {"control_5xx_rate": 1}),
        ("AccessDeniedException", {"denied_operations": list(OPERATIONS)}),
    ],
)
def test_what_any_operation_may_meet(simulator, bedrock, name, code, behaviour):
    simulator.behave(**behaviour)
    assert refusal(BEDROCK, name, lambda: OPERATIONS[name](bedrock)) == code


def test_validation_errors(simulator):
    client = simulator.client("bedrock", parameter_validation=False)
    calls = {
        "CreateModelInvocationJob": lambda: client.create_model_invocation_job(**jobs.request(jobName="a_b")),
        "GetModelInvocationJob": lambda: client.get_model_invocation_job(jobIdentifier="nope"),
        "ListModelInvocationJobs": lambda: client.list_model_invocation_jobs(statusEquals="Done"),
        "StopModelInvocationJob": lambda: client.stop_model_invocation_job(jobIdentifier="nope"),
    }
    assert set(calls) == set(OPERATIONS)
    for name, call in calls.items():
        assert refusal(BEDROCK, name, call) == "ValidationException"


def test_a_job_that_is_not_there(simulator, bedrock, s3):
    arn = "arn:aws:bedrock:us-east-1:000000000000:model-invocation-job/abcdefghijkl"
    for identifier in ["abcdefghijkl", arn]:
        for name, call in [
            ("GetModelInvocationJob", bedrock.get_model_invocation_job),
            ("StopModelInvocationJob", bedrock.stop_model_invocation_job),
        ]:
            assert refusal(BEDROCK, name, partial(call, jobIdentifier=identifier)) == "ResourceNotFoundException"
    other_account = jobs.create(bedrock, jobs.put_input(s3)).replace("000000000000", "111111111111")
    get = bedrock.get_model_invocation_job
    code = refusal(BEDROCK, "GetModelInvocationJob", lambda: get(jobIdentifier=other_account))
    assert code == "ResourceNotFoundException"


def test_a_name_that_is_taken_is_a_conflict(simulator, bedrock, s3):
    request = jobs.request(jobs.put_input(s3), clientRequestToken="one")
    bedrock.create_model_invocation_job(**request)
    again = {**request, "clientRequestToken": "two"}
    code = refusal(BEDROCK, "CreateModelInvocationJob", lambda: bedrock.create_model_invocation_job(**again))
    assert code == "ConflictException"
    assert len(simulator.jobs()) == 1


def test_stopping_a_job_that_is_over_is_a_conflict(simulator, bedrock, s3):
    arn = jobs.create(bedrock, jobs.put_input(s3))
    jobs.finish(bedrock, arn)
    stop = bedrock.stop_model_invocation_job
    assert refusal(BEDROCK, "StopModelInvocationJob", lambda: stop(jobIdentifier=arn)) == "ConflictException"


def test_a_quota_reached_is_an_error_until_a_job_ends(simulator, bedrock, s3):
    simulator.behave(create_quota=2, job_seconds=600)
    uri = jobs.put_input(s3)
    first = [jobs.create(bedrock, uri) for _ in range(2)]
    # The quota is per model: a profile of the same model shares it, another model has its own.
    profile = jobs.request(uri, modelId=f"global.{jobs.MODEL.removeprefix('us.')}")
    code = refusal(BEDROCK, "CreateModelInvocationJob", lambda: bedrock.create_model_invocation_job(**profile))
    assert code == "ServiceQuotaExceededException"
    jobs.create(bedrock, uri, modelId="amazon.nova-lite-v1:0")
    for arn in first:
        bedrock.stop_model_invocation_job(jobIdentifier=arn)
        jobs.finish(bedrock, arn)
    jobs.create(bedrock, uri)


def test_the_default_quota_is_100(simulator, bedrock):
    simulator.behave(job_seconds=600)
    for _ in range(100):
        bedrock.create_model_invocation_job(**jobs.request())
    create = bedrock.create_model_invocation_job
    code = refusal(BEDROCK, "CreateModelInvocationJob", lambda: create(**jobs.request()))
    assert code == "ServiceQuotaExceededException"


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "inference profile"),
        ("amazon.nova-2-lite-v1:0", "inference profile"),
        ("cohere.embed-english-v3", "does not support batch"),
        ("us.deepseek.r1-v1:0", "does not support batch"),
        ("us.anthropic.claude-haiku-4-5-typo", None),
        ("acme.model-1", "identifier is invalid"),
        ("haiku", "identifier is invalid"),
    ],
)
def test_models_that_take_no_batch_jobs(simulator, bedrock, model, says):
    def call():
        bedrock.create_model_invocation_job(**jobs.request(modelId=model))

    if says is None:  # what follows a known beginning is not checked: versions and dates change
        call()
        return
    with pytest.raises(ClientError, match=says) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == "ValidationException"


RUNTIME_CALLS = {
    "InvokeModel": lambda client, model=jobs.MODEL: client.invoke_model(modelId=model, body=b"{}"),
    "Converse": lambda client, model=jobs.MODEL: client.converse(
        modelId=model, messages=[{"role": "user", "content": [{"text": "Hi"}]}]
    ),
}


@pytest.mark.parametrize("name", RUNTIME_CALLS)
def test_what_an_invocation_may_meet(simulator, runtime, name):
    def code():
        return refusal(RUNTIME, name, lambda: RUNTIME_CALLS[name](runtime))

    simulator.behave(invoke_throttle_rate=1)
    assert code() == "ThrottlingException"
    simulator.behave(invoke_throttle_rate=0, invoke_5xx_rate=1)
    failures = {code() for _ in range(20)}
    assert failures == {"InternalServerException", "ServiceUnavailableException"}
    simulator.behave(invoke_5xx_rate=0, denied_operations=[name])
    assert code() == "AccessDeniedException"
    simulator.behave(denied_operations=[])
    call = RUNTIME_CALLS[name]
    for model in ["anthropic.claude-sonnet-4-5-20250929-v1:0", "acme.model-1"]:
        assert refusal(RUNTIME, name, lambda model=model: call(runtime, model)) == "ValidationException"


def test_a_request_that_its_model_does_not_understand(simulator, runtime):
    code = refusal(RUNTIME, "InvokeModel", lambda: RUNTIME_CALLS["InvokeModel"](runtime))
    assert code == "ValidationException"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("DELETE", "/model-invocation-jobs"), ("POST", "/model")])
def test_a_path_that_aws_does_not_have(simulator, method, path):
    status, headers, _ = simulator.request(method, path)
    assert (status, headers["x-amzn-errortype"]) == (404, "UnknownOperationException")


@pytest.mark.parametrize(
    "query",
    [
        "maxResults=0", "maxResults=1001", "maxResults=x", "statusEquals=Done", "sortBy=Name", "sortOrder=Up",
        "nameContains=a_b", "nameContains=", "nextToken=made-up", "nextToken=", "submitTimeAfter=yesterday",
    ],
)  # fmt: skip
def test_a_wrong_query_of_list(simulator, query):
    status, headers, _ = simulator.request("GET", f"/model-invocation-jobs?{query}")
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")


def test_a_failing_job_does_not_disturb_others(simulator, bedrock, s3):
    bad = jobs.create(bedrock, f"s3://{BUCKET}/nowhere/")
    good = jobs.create(bedrock, jobs.put_input(s3))
    assert jobs.finish(bedrock, bad)["status"] == "Failed"
    assert jobs.finish(bedrock, good)["status"] == "Completed"


def test_a_body_above_the_limit(simulator):
    status, headers, _ = simulator.request("POST", f"/model/{jobs.MODEL}/invoke", b" " * 25_000_001)
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
