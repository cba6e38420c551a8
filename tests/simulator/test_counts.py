"""The simulator's counts of the calls that it has answered."""

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import jobs
from conftest import wait_for

# Another name of the same model.
OTHER_PROFILE = f"global.{jobs.MODEL.removeprefix('us.')}"


def calls(simulator):
    return simulator.request("GET", "/_simulator/calls")[2]["calls"]


def invocations(simulator):
    return simulator.request("GET", "/_simulator/invocations")[2]


def invoke(runtime, question, model=jobs.MODEL):
    runtime.invoke_model(modelId=model, body=json.dumps(jobs.claude_body(question)))


def content_of(body):
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def test_every_operation_is_counted_by_its_outcome(simulator, bedrock, runtime):
    assert calls(simulator) == {}
    simulator.behave(job_seconds=600)
    arn = jobs.create(bedrock, "s3://bucket/x/")
    for call in [
        lambda: jobs.create(bedrock, "s3://bucket/x/", modelId="acme.model-1"),
        lambda: jobs.get(bedrock, "abcdefghijkl"),
        lambda: runtime.converse(modelId="acme.model-1", messages=[]),
    ]:
        with pytest.raises(ClientError):
            call()
    for _ in range(3):
        jobs.get(bedrock, arn)
    bedrock.list_model_invocation_jobs()
    bedrock.stop_model_invocation_job(jobIdentifier=arn)
    invoke(runtime, "Hello")
    simulator.behave(denied_operations=["InvokeModel"])
    with pytest.raises(ClientError):
        invoke(runtime, "Hello")
    assert simulator.request("POST", f"/model/{jobs.MODEL}/invoke", b" " * 25_000_001)[0] == 400
    assert simulator.request("GET", "/nowhere")[0] == 404
    assert calls(simulator) == {
        "CreateModelInvocationJob": {"ok": 1, "ValidationException": 1},
        "GetModelInvocationJob": {"ok": 3, "ResourceNotFoundException": 1},
        "ListModelInvocationJobs": {"ok": 1},
        "StopModelInvocationJob": {"ok": 1},
        "InvokeModel": {"ok": 1, "AccessDeniedException": 1, "ValidationException": 1},
        "Converse": {"ValidationException": 1},
    }
    simulator.request("POST", "/_simulator/reset")
    assert calls(simulator) == {}


def test_every_request_on_demand_is_counted_by_its_content(simulator, runtime):
    assert invocations(simulator) == {"invocations": [], "max_in_flight": 0, "busiest_second": 0, "seconds": 0}
    invoke(runtime, "One é")
    invoke(runtime, "One é")
    invoke(runtime, "One é", OTHER_PROFILE)
    simulator.behave(invoke_throttle_rate=1)
    for question in ["One é", "Two"]:
        with pytest.raises(ClientError):
            invoke(runtime, question)
    one, two = content_of(jobs.claude_body("One é")), content_of(jobs.claude_body("Two"))
    expected = [
        {"model_id": jobs.MODEL, "content": one, "ok": 2, "refused": 1, "abandoned": 0},
        {"model_id": jobs.MODEL, "content": two, "ok": 0, "refused": 1, "abandoned": 0},
        {"model_id": OTHER_PROFILE, "content": one, "ok": 1, "refused": 0, "abandoned": 0},
    ]
    counted = invocations(simulator)
    # In order of model and content.
    assert counted["invocations"] == sorted(expected, key=lambda found: (found["model_id"], found["content"]))
    assert counted["max_in_flight"] == 1
    simulator.request("POST", "/_simulator/reset")
    assert invocations(simulator) == {"invocations": [], "max_in_flight": 0, "busiest_second": 0, "seconds": 0}


def test_a_request_written_in_another_order_is_the_same(simulator):
    messages = [{"role": "user", "content": [{"text": "Hi"}]}]
    body = {"inferenceConfig": {"maxTokens": 5, "temperature": 0.5}, "messages": messages}
    backwards = {"messages": messages, "inferenceConfig": {"temperature": 0.5, "maxTokens": 5}}
    for written in [json.dumps(body).encode(), json.dumps(backwards, indent=2).encode()]:
        assert simulator.request("POST", f"/model/{jobs.MODEL}/converse", written)[0] == 200
    (found,) = invocations(simulator)["invocations"]
    assert (found["content"], found["ok"]) == (content_of(body), 2)


def test_requests_in_flight_at_once_are_counted(simulator):
    # Long enough for all to begin before the first is answered.
    simulator.behave(invoke_seconds=3)
    runtime = simulator.client("bedrock-runtime", max_pool_connections=12)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda number: invoke(runtime, f"Question {number}"), range(24)))
    counted = invocations(simulator)
    assert counted["max_in_flight"] == 12
    assert 2 <= counted["busiest_second"] <= 24
    assert [found["ok"] for found in counted["invocations"]] == [1] * 24


def test_the_busiest_second_is_the_one_with_most_beginnings(simulator, runtime):
    for question in range(3):
        invoke(runtime, f"Alone {question}")
        time.sleep(1.1)
    assert invocations(simulator)["busiest_second"] == 1
    assert invocations(simulator)["seconds"] >= 2.2
    for question in range(10):
        invoke(runtime, f"Together {question}")
    assert 2 <= invocations(simulator)["busiest_second"] <= 10
    assert invocations(simulator)["max_in_flight"] == 1


def test_a_request_that_its_caller_gave_up_is_counted_apart(simulator):
    simulator.behave(invoke_seconds=600)
    impatient = simulator.client("bedrock-runtime", read_timeout=2)
    with pytest.raises(ReadTimeoutError):
        invoke(impatient, "Too long")
    (found,) = wait_for(lambda: invocations(simulator)["invocations"], what="the request to be given up")
    assert (found["ok"], found["refused"], found["abandoned"]) == (0, 0, 1)
    assert calls(simulator) == {}
