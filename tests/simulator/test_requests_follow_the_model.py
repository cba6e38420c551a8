"""Every constraint that AWS's service model puts on CreateModelInvocationJob is enforced, and none that it does not."""

import copy

import pytest

import jobs
from service_model import BEDROCK, leaves, operation, problems, shape

REQUEST = "CreateModelInvocationJobRequest"

#: A valid value for every member of the request: a test below proves that none is missing.
FULL = {
    "jobName": "full-1",
    "roleArn": jobs.ROLE,
    "clientRequestToken": "token-1",
    "modelId": jobs.MODEL,
    "inputDataConfig": {
        "s3InputDataConfig": {
            "s3InputFormat": "JSONL",
            "s3Uri": "s3://simulator-tests/nowhere/0000.jsonl",
            "s3BucketOwner": "000000000000",
        }
    },
    "outputDataConfig": {
        "s3OutputDataConfig": {
            "s3Uri": "s3://simulator-tests/output/",
            "s3EncryptionKeyId": "alias/batch",
            "s3BucketOwner": "000000000000",
        }
    },
    "vpcConfig": {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
    "timeoutDurationInHours": 48,
    "tags": [{"key": "team", "value": "a b"}],
    "modelInvocationType": "Converse",
}
MEMBERS = list(leaves(BEDROCK, REQUEST))

#: Strings that one pattern or another refuses; the model decides if one is invalid for a member.
STRINGS = [
    "", " ", "_", "-", "a", "a b", "a_b", "a-b", "a-", "a.b", "a,b", "a=b", "a/b", "a+b", "a@b", "caf\u00e9",
    "a\nb", "JSONL", "jsonl", "Converse", "converse", "000000000000", "00000000000", "0000000000000",
    "s3://bucket", "s3://bucket/", "s3://bucket/a/b.jsonl", "s3://bucket/a//b", "s3://bucket/dt=1/x",
    "s3://bucket/a b", "s3://bucket/a:b", "s3://bucket/a+b", "s3://bucket/a@b", "s3://bucket/a,b", "s3://Bucket/a",
    "s3://b/a", "http://bucket/a", "arn:aws:iam::000000000000:role/x", "arn:aws:iam:::role/x",
    "arn:aws:iam::000000000000:user/x", "arn:aws-cn:iam::000000000000:role/path/x",
    "alias/key", "arn:aws:kms:us-east-1:000000000000:alias/key", "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.deepseek.v3.2", "arn:aws:bedrock:us-east-1:000000000000:provisioned-model/abcdefghijkl",
    "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.amazon.nova-lite-v1:0", "subnet-1",
]  # fmt: skip


def path_name(path):
    return ".".join(str(part) for part in path)


def at(body, path):
    for part in path:
        body = body[part]
    return body


def with_value(path, value):
    body = copy.deepcopy(FULL)
    at(body, path[:-1])[path[-1]] = value
    return body


def without(path):
    body = copy.deepcopy(FULL)
    del at(body, path[:-1])[path[-1]]
    return body


def send(simulator, body):
    """The constraints that the simulator finds broken: its message, or nothing."""
    status, headers, answer = simulator.request("POST", "/model-invocation-job", body)
    if status == 200:
        return None
    assert status == 400, answer
    assert headers["x-amzn-errortype"] == "ValidationException", answer
    # An unknown model is refused too, but not by a constraint of the request.
    return answer["message"] if "validation error" in answer["message"] else None


def assert_agree(simulator, body):
    expected = problems(BEDROCK, REQUEST, body)
    message = send(simulator, body)
    assert bool(message) == bool(expected), f"the model says {expected}, the simulator {message!r}"
    simulator.request("POST", "/_simulator/reset")


def test_the_full_request_holds_every_member_of_the_model():
    assert problems(BEDROCK, REQUEST, FULL) == []
    for path, _, _ in MEMBERS:
        at(FULL, path)


def test_the_full_request_is_accepted_and_shown_in_full(simulator, bedrock):
    status, _, answer = simulator.request("POST", "/model-invocation-job", FULL)
    assert (status, list(answer)) == (200, ["jobArn"])
    shown = bedrock.get_model_invocation_job(jobIdentifier=answer["jobArn"])
    # Tags are shown by ListTagsForResource only.
    assert {name: shown[name] for name in FULL if name != "tags"} == {k: v for k, v in FULL.items() if k != "tags"}


NAMED_MEMBERS = [member for member in MEMBERS if isinstance(member[0][-1], str)]


@pytest.mark.parametrize("member", NAMED_MEMBERS, ids=lambda member: path_name(member[0]))
def test_a_member_may_be_absent_only_if_the_model_says_so(simulator, member):
    # A union without its member is empty, which the model's own check reports as well.
    assert_agree(simulator, without(member[0]))


STRING_MEMBERS = [member for member in MEMBERS if shape(BEDROCK, member[1])["type"] == "string"]


@pytest.mark.parametrize("member", STRING_MEMBERS, ids=lambda member: path_name(member[0]))
def test_strings_are_judged_as_the_model_judges_them(simulator, member):
    path, name, _ = member
    spec = shape(BEDROCK, name)
    longest = spec.get("max")
    candidates = STRINGS + (["a" * (longest + 1)] if longest else [])
    judged = {bool(problems(BEDROCK, name, candidate)) for candidate in candidates}
    assert judged == {True, False}, f"the candidates do not tell right from wrong for {name}"
    for candidate in candidates:
        assert_agree(simulator, with_value(path, candidate))


@pytest.mark.parametrize("hours", [-1, 0, 23, 24, 100, 168, 169, 10**12])
def test_the_timeout_is_limited(simulator, hours):
    assert_agree(simulator, with_value(("timeoutDurationInHours",), hours))


@pytest.mark.parametrize(
    ("path", "item"),
    [
        (("vpcConfig", "subnetIds"), "subnet-1"),
        (("vpcConfig", "securityGroupIds"), "sg-1"),
        (("tags",), {"key": "a", "value": ""}),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 5, 6, 16, 17, 200, 201])
def test_lists_are_limited(simulator, path, item, count):
    assert_agree(simulator, with_value(path, [item] * count))


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: path_name(member[0]))
def test_a_value_of_the_wrong_type_cannot_be_read(simulator, member):
    path, name, _ = member
    wrong = "text" if shape(BEDROCK, name)["type"] != "string" else 5
    status, headers, _ = simulator.request("POST", "/model-invocation-job", with_value(path, wrong))
    assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'"text"'])
def test_a_body_that_is_no_json_object_is_refused(simulator, body):
    status, _, _ = simulator.request("POST", "/model-invocation-job", body)
    assert status == 400


def test_all_that_is_wrong_is_reported_at_once_by_name(simulator):
    message = send(simulator, {"jobName": "a_b", "timeoutDurationInHours": 1})
    for name in ["jobName", "roleArn", "modelId", "inputDataConfig", "outputDataConfig", "timeoutDurationInHours"]:
        assert f"'{name}'" in message


@pytest.mark.parametrize("name", ["GetModelInvocationJob", "StopModelInvocationJob"])
@pytest.mark.parametrize("identifier", ["short", "UPPERCASE123", "a" * 13, "arn:aws:s3:::bucket", "a b", "%25"])
def test_a_wrong_job_identifier_is_a_validation_error(simulator, name, identifier):
    http = operation(BEDROCK, name)["http"]
    path = http["requestUri"].replace("{jobIdentifier}", identifier.replace(" ", "%20"))
    status, headers, _ = simulator.request(http["method"], path)
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
