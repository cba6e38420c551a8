"""Requests are parsed back to what botocore's serializers made them of, and compared with the models."""

import json
from functools import cache
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import get_session

from local_stack.requests.bedrock_calls import calls_of
from local_stack.requests.model_rules import problems_of
from local_stack.requests.parser import AwsRequest, HttpRequest, Unparsed, operation, parse

ENDPOINT = "http://127.0.0.1:1"
JOB = {
    "jobName": "e2e-1",
    "roleArn": "arn:aws:iam::000000000000:role/bedrock",
    "modelId": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "clientRequestToken": "a1",
    "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://bucket/in/"}},
    "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket/out/"}},
}
ITEM = {"pk": {"S": "run"}, "rows": {"N": "5"}, "token": {"B": b"\x00\x01"}, "list": {"L": [{"BOOL": True}]}}
EXAMPLES: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "PutItem", {"TableName": "tasks", "Item": ITEM, "ConditionExpression": "attribute_not_exists(pk)"}),
    ("stepfunctions", "SendTaskSuccess", {"taskToken": "t", "output": "{}"}),
    ("sqs", "SendMessage", {"QueueUrl": "http://localhost/q", "MessageBody": "x", "DelaySeconds": 1}),
    (
        "sns",
        "Publish",
        {
            "TopicArn": "arn:aws:sns:us-east-1:000000000000:t",
            "Message": "a&b",
            "MessageAttributes": {"k": {"DataType": "String", "StringValue": "v"}},
        },
    ),
    ("secretsmanager", "GetSecretValue", {"SecretId": "link-key"}),
    ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"{}", "InvocationType": "Event"}),
    ("service-quotas", "ListServiceQuotas", {"ServiceCode": "bedrock", "MaxResults": 100}),
    ("bedrock", "CreateModelInvocationJob", JOB),
    ("bedrock", "ListModelInvocationJobs", {"nameContains": "e2e", "maxResults": 10}),
    ("bedrock", "StopModelInvocationJob", {"jobIdentifier": "abcdefghijkl"}),
    (
        "bedrock-runtime",
        "InvokeModel",
        {"modelId": "amazon.nova-lite-v1:0", "body": b"{}", "accept": "application/json"},
    ),
    (
        "bedrock-runtime",
        "Converse",
        {
            "modelId": "m",
            "messages": [{"role": "user", "content": [{"text": "hi"}]}],
            "inferenceConfig": {"maxTokens": 5},
        },
    ),
    ("s3", "GetObject", {"Bucket": "bucket", "Key": "runs/a b/plan.json", "Range": "bytes=0-9"}),
    ("s3", "HeadObject", {"Bucket": "bucket", "Key": "k"}),
    ("s3", "ListObjectsV2", {"Bucket": "bucket", "Prefix": "runs/", "MaxKeys": 5}),
    ("s3", "CreateMultipartUpload", {"Bucket": "bucket", "Key": "k"}),
    (
        "s3",
        "CompleteMultipartUpload",
        {
            "Bucket": "bucket",
            "Key": "k",
            "UploadId": "u",
            "MultipartUpload": {"Parts": [{"ETag": "e", "PartNumber": 1}]},
        },
    ),
    ("s3", "DeleteObjects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": True}}),
]


@cache
def client_of(service: str):
    return get_session().create_client(
        service,
        region_name="us-east-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
        endpoint_url=ENDPOINT,
        config=Config(parameter_validation=False, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


class Caught(BaseException):
    """Ends a request before it is sent. botocore would repeat it after an error."""


def sent(service: str, name: str, parameters: dict, **changes) -> HttpRequest:
    """Returns the request that botocore sends. `changes` replace what is on the wire."""
    caught: list[HttpRequest] = []

    def catch(request, **_):
        path, _, query = request.url.removeprefix(ENDPOINT).partition("?")
        headers = {
            key.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for key, value in request.headers.items()
        }
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        caught.append(HttpRequest(request.method, path, query, headers, body))
        raise Caught

    client = client_of(service)
    client.meta.events.register("before-send", catch, unique_id="catch")
    with pytest.raises(Caught):
        client._make_api_call(name, parameters)
    client.meta.events.unregister("before-send", unique_id="catch")
    request = caught[0]
    for field, value in changes.items():
        setattr(request, field, value)
    return request


def test_a_listing_of_quotas_is_judged_as_one_of_service_quotas():
    request = AwsRequest("service-quotas", operation("service-quotas", "ListServiceQuotas"), {"ServiceCode": "bedrock"})
    (call,) = calls_of("PreprocessRole", request, "us-east-1", "000000000000")
    assert (call.action, call.resource) == ("servicequotas:ListServiceQuotas", "*")


@pytest.mark.parametrize(("service", "name", "parameters"), EXAMPLES, ids=[name for _, name, _ in EXAMPLES])
def test_a_request_is_parsed_to_what_it_was_made_of(service, name, parameters):
    parsed = parse(sent(service, name, parameters))
    assert (parsed.service, parsed.operation.name) == (service, name)
    assert {key: parsed.parameters[key] for key in parameters} == parameters
    assert problems_of(parsed) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"jobName": "a b"}, "jobName: 'a b' does not match"),
        ({"jobName": "a" * 64}, "jobName has 64 characters, not between 1 and 63"),
        ({"timeoutDurationInHours": 200}, "timeoutDurationInHours: 200 is not between 24 and 168"),
        ({"timeoutDurationInHours": "24"}, "Invalid type for parameter timeoutDurationInHours"),
        ({"modelInvocationType": "Chat"}, "modelInvocationType: 'Chat' is none of InvokeModel, Converse"),
        ({"roleArn": "bedrock"}, "roleArn: 'bedrock' does not match"),
        ({"inputDataConfig": {"s3InputDataConfig": {"s3Uri": "bucket/in"}}}, "s3Uri: 'bucket/in' does not match"),
        ({"inputDataConfig": {}}, "Must set one of the following keys"),
        ({"priority": 1}, 'Unknown parameter in input: "priority"'),
        ({"outputDataConfig": None}, 'Missing required parameter in input: "outputDataConfig"'),
    ],
)
def test_an_invalid_request_is_found(changes, problem):
    valid = sent("bedrock", "CreateModelInvocationJob", JOB)
    body = {key: value for key, value in (JOB | changes).items() if value is not None}
    valid.body = json.dumps(body).encode()
    assert any(problem in found for found in problems_of(parse(valid))), problems_of(parse(valid))


def test_an_unknown_item_of_a_query_is_found():
    request = sent("bedrock", "ListModelInvocationJobs", {"maxResults": 10}, query="maxResults=5000&page=2")
    found = problems_of(parse(request))
    assert any('"page"' in problem for problem in found)
    assert any("maxResults: 5000 is not between 1 and 1000" in problem for problem in found)


@pytest.mark.parametrize(
    ("service", "name", "changes"),
    [
        ("bedrock", "ListModelInvocationJobs", {"path": "/model-invocation-tasks"}),
        ("bedrock", "CreateModelInvocationJob", {"body": b"{"}),
        ("dynamodb", "PutItem", {"body": b"not JSON"}),
    ],
)
def test_what_cannot_be_parsed_is_an_error(service, name, changes):
    parameters = next((example for _, its, example in EXAMPLES if its == name), {})
    with pytest.raises(Unparsed):
        parse(sent(service, name, parameters, **changes))
