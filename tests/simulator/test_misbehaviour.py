"""The simulator misbehaves as configured, and in the same way each time."""

import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

import jobs


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"fial_rate": 1}, "fial_rate"),
        ({"fail_rate": 1.1}, "fail_rate"),
        ({"partial_rate": -0.1}, "partial_rate"),
        ({"record_error_permanent_share": 2}, "record_error_permanent_share"),
        ({"seed": "x"}, "seed"),
        ({"job_seconds": -1}, "job_seconds"),
        ({"finish_before_first_event": 1}, "finish_before_first_event"),
        ({"create_quota": -1}, "create_quota"),
        ({"batch_refused_models": "amazon."}, "batch_refused_models"),
        ({"only_inputs": "/0000.jsonl"}, "only_inputs"),
        ({"in_progress_seconds": -1}, "in_progress_seconds"),
        ({"on_demand_denied_models": [1]}, "on_demand_denied_models"),
        ({"retry_after_seconds": 0.5}, "retry_after_seconds"),
        ({"invoke_seconds": 86401}, "invoke_seconds"),
    ],
)
def test_a_wrong_behaviour_is_refused_by_name(simulator, changes, named):
    before = simulator.request("GET", "/_simulator/behaviour")[2]
    status, _, answer = simulator.request("PUT", "/_simulator/behaviour", changes)
    assert status == 400
    assert f"`{named}`" in answer["message"]
    assert simulator.request("GET", "/_simulator/behaviour")[2] == before


def test_an_update_is_partial(simulator):
    simulator.behave(seed=7)
    after = simulator.behave(fail_rate=0.5)
    assert (after["seed"], after["fail_rate"]) == (7, 0.5)


def test_a_job_can_fail_with_a_message(simulator, bedrock, s3):
    simulator.behave(fail_rate=1, fail_message="Access denied by the test.")
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_input(s3)))
    assert (job["status"], job["message"]) == ("Failed", "Access denied by the test.")


def test_a_job_can_expire_without_output(simulator, bedrock, s3):
    simulator.behave(expire_rate=1)
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_input(s3)))
    assert job["status"] == "Expired"
    assert jobs.output_keys(s3, job) == []


def test_a_job_can_be_partial(simulator, bedrock, s3):
    simulator.behave(partial_rate=1)
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_input(s3, 200)))
    assert job["status"] == "PartiallyCompleted"
    lines, manifest = jobs.output(s3, job)
    assert 80 <= len(lines) < 200
    assert manifest["processedRecordCount"] == job["processedRecordCount"] == len(lines)
    assert manifest["totalRecordCount"] == 200


def errors_of(bedrock, s3, uri, name):
    job = jobs.finish(bedrock, jobs.create(bedrock, uri, jobName=name))
    assert job["status"] == "Completed"
    lines, _ = jobs.output(s3, job)
    errors = {line["recordId"]: line["error"] for line in lines if "error" in line}
    assert len(errors) == job["errorRecordCount"]
    return errors


def test_records_fail_for_good_or_for_once(simulator, bedrock, s3):
    simulator.behave(record_error_rate=0.3, record_error_permanent_share=0.5)
    uri = jobs.put_input(s3, 200)
    first, second = errors_of(bedrock, s3, uri, "first"), errors_of(bedrock, s3, uri, "second")
    permanent = [{key for key, error in found.items() if not error["retryable"]} for found in (first, second)]
    assert permanent[0] == permanent[1]
    assert 10 < len(permanent[0]) < 60
    assert all(first[key]["errorCode"] == 400 for key in permanent[0])
    passing = [set(found) - permanent[0] for found in (first, second)]
    assert passing[0] != passing[1]
    assert {error["errorCode"] for error in first.values()} == {400, 429, 500}
    simulator.reset()
    simulator.behave(record_error_rate=0.3, record_error_permanent_share=0.5)
    assert errors_of(bedrock, s3, uri, "first") == first
    simulator.reset()
    simulator.behave(record_error_rate=0.3, record_error_permanent_share=0.5, seed=9)
    assert errors_of(bedrock, s3, uri, "first") != first


def fates_of_a_run(simulator, bedrock, s3, seed):
    """Statuses and lines of jobs over a new folder of inputs, created as fast as an impatient client can."""
    simulator.behave(
        seed=seed,
        fail_rate=0.2,
        expire_rate=0.2,
        partial_rate=0.4,
        record_error_rate=0.2,
        create_throttle_rate=0.3,
    )
    folder = f"input/run-{uuid.uuid4().hex}"

    def create(uri):
        """The job, and the number of attempts to create it."""
        for attempt in range(1, 100):
            try:
                return jobs.create(bedrock, uri, jobName=f"job-{uuid.uuid4().hex}"), attempt
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ThrottlingException"
        raise AssertionError("never got through")

    uris = [jobs.put_lines(s3, f"{folder}/{index:04}.jsonl", map(jobs.record, range(100))) for index in range(12)]
    arns, attempts = zip(*map(create, uris), strict=True)
    ended = [jobs.finish(bedrock, arn) for arn in arns]
    with_output = ("Completed", "PartiallyCompleted")
    lines = [
        jobs.output(s3, job, f"{index:04}.jsonl")[0] if job["status"] in with_output else []
        for index, job in enumerate(ended)
    ]
    return [job["status"] for job in ended], lines, attempts


def test_a_seed_decides_the_same_fates_whatever_jobs_and_folders_are_called(simulator, bedrock, s3):
    first = fates_of_a_run(simulator, bedrock, s3, seed=1)
    assert len(set(first[0])) > 2, "jobs ended in several ways"
    assert max(first[2]) > 1, "some were throttled"
    assert fates_of_a_run(simulator, bedrock, s3, seed=1) == first
    assert fates_of_a_run(simulator, bedrock, s3, seed=2) != first


def test_jobs_over_the_same_input_have_fates_of_their_own(simulator, bedrock, s3):
    simulator.behave(fail_rate=0.5)
    uri = jobs.put_input(s3)
    arns = [jobs.create(bedrock, uri) for _ in range(12)]
    assert {jobs.finish(bedrock, arn)["status"] for arn in arns} == {"Completed", "Failed"}


def test_a_throttled_create_gets_through_in_the_end(simulator, bedrock):
    simulator.behave(create_throttle_rate=0.7, job_seconds=600)

    def attempts(request):
        for attempt in range(1, 100):
            try:
                bedrock.create_model_invocation_job(**request)
                return attempt
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ThrottlingException"
        raise AssertionError("never got through")

    inputs = [f"s3://bucket/throttled/{index:04}.jsonl" for index in range(10)]
    needed = [attempts(jobs.request(uri)) for uri in inputs]
    assert max(needed) > 1
    assert len(simulator.jobs()) == 10
    simulator.request("POST", "/_simulator/reset")
    # In another order: the decision depends on the input.
    assert [attempts(jobs.request(uri)) for uri in inputs[::-1]] == needed[::-1]


def converse(runtime, question):
    return runtime.converse(modelId=jobs.MODEL, messages=[{"role": "user", "content": [{"text": question}]}])


def invoke(runtime, question):
    return runtime.invoke_model(modelId=jobs.MODEL, body=json.dumps(jobs.claude_body(question)))


@pytest.mark.parametrize("ask", [converse, invoke])
def test_a_repeated_invocation_gets_through_in_the_end(simulator, runtime, ask):
    simulator.behave(invoke_throttle_rate=0.5, invoke_5xx_rate=0.3)

    def errors_before_an_answer(question):
        met: list[str] = []
        while len(met) < 100:
            try:
                ask(runtime, question)
                return met
            except ClientError as error:
                met.append(error.response["Error"]["Code"])
        raise AssertionError("never got through")

    questions = [f"Question {index}" for index in range(30)]
    met = [errors_before_an_answer(question) for question in questions]
    assert [] in met, "some get through at once"
    every = {"ThrottlingException", "InternalServerException", "ServiceUnavailableException"}
    assert {code for codes in met for code in codes} == every
    simulator.request("POST", "/_simulator/reset")
    # In another order: what is decided depends on the content.
    assert [errors_before_an_answer(question) for question in questions[::-1]] == met[::-1]


def test_an_invocation_does_not_meet_the_errors_of_records(simulator, runtime):
    simulator.behave(record_error_rate=1, partial_rate=1, expire_rate=1, fail_rate=1)
    for index in range(20):
        assert converse(runtime, f"Question {index}")["stopReason"]


@pytest.mark.parametrize("ask", [converse, invoke])
def test_a_throttled_invocation_says_when_to_come_again(simulator, runtime, ask):
    def headers():
        with pytest.raises(ClientError) as caught:
            ask(runtime, "When?")
        return caught.value.response["ResponseMetadata"]["HTTPHeaders"]

    simulator.behave(invoke_throttle_rate=1)
    assert "retry-after" not in headers()
    simulator.behave(retry_after_seconds=7)
    assert headers()["retry-after"] == "7"
    simulator.behave(invoke_throttle_rate=0, invoke_5xx_rate=1)
    assert "retry-after" not in headers()


def test_no_other_throttling_says_when_to_come_again(simulator):
    simulator.behave(create_throttle_rate=1, read_throttle_rate=1, retry_after_seconds=7)
    for method, path, body in [("POST", "", jobs.request()), ("GET", "s", None)]:
        status, headers, _ = simulator.request(method, f"/model-invocation-job{path}", body)
        assert status == 429
        assert "retry-after" not in headers


def test_answers_take_the_configured_time_and_errors_none(simulator, runtime):
    def seconds(call):
        begun = time.monotonic()
        call()
        return time.monotonic() - begun

    simulator.behave(invoke_seconds=0.7)
    assert 0.7 <= seconds(lambda: converse(runtime, "How long?")) < 10
    answer = invoke(runtime, "How long?")
    assert int(answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-bedrock-invocation-latency"]) >= 700
    simulator.behave(invoke_seconds=30, invoke_throttle_rate=1)

    def refused():
        with pytest.raises(ClientError, match="ThrottlingException"):
            converse(runtime, "How long?")

    assert seconds(refused) < 10


NOVA = "amazon.nova-lite-v1:0"
NOVA_PROFILE = f"arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.{NOVA}"


@pytest.mark.parametrize("told", [NOVA, "amazon.nova", f"us.{NOVA}"])
def test_a_region_can_be_without_batch_for_a_model(simulator, bedrock, runtime, told):
    simulator.behave(batch_refused_models=["acme.model", told], job_seconds=600)
    for model in [NOVA, f"us.{NOVA}", NOVA_PROFILE]:
        with pytest.raises(ClientError) as caught:
            bedrock.create_model_invocation_job(**jobs.request(modelId=model))
        assert caught.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": f"Model {model} does not support batch inference.",
        }
    assert simulator.jobs() == []
    bedrock.create_model_invocation_job(**jobs.request())
    messages = [{"role": "user", "content": [{"text": "Are you there?"}]}]
    assert runtime.converse(modelId=NOVA, messages=messages)["stopReason"]


@pytest.mark.parametrize("told", [NOVA, "amazon.nova", f"us.{NOVA}"])
def test_a_model_can_be_out_of_reach_on_demand(simulator, bedrock, runtime, told):
    simulator.behave(on_demand_denied_models=[told], job_seconds=600)
    messages = [{"role": "user", "content": [{"text": "Are you there?"}]}]
    for model in [NOVA, f"us.{NOVA}", NOVA_PROFILE]:
        for call in [
            lambda model=model: runtime.converse(modelId=model, messages=messages),
            lambda model=model: runtime.invoke_model(modelId=model, body=json.dumps({"messages": messages})),
        ]:
            with pytest.raises(ClientError) as caught:
                call()
            assert caught.value.response["Error"] == {
                "Code": "AccessDeniedException",
                "Message": "You don't have access to the model with the specified model ID.",
            }
    converse(runtime, "Are you there?")
    bedrock.create_model_invocation_job(**jobs.request(modelId=NOVA))


def seconds_of(job):
    return (job["endTime"] - job["submitTime"]).total_seconds()


def test_a_job_takes_the_configured_seconds(simulator, bedrock, s3):
    simulator.behave(job_seconds=2)
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_input(s3)))
    assert 1.9 <= seconds_of(job) < 10


def test_a_job_is_in_progress_for_the_configured_seconds(simulator, bedrock, s3):
    simulator.behave(in_progress_seconds=2)
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_input(s3)))
    assert 1.9 <= seconds_of(job) < 10


def test_misbehaviour_can_be_kept_to_jobs_over_some_inputs(simulator, bedrock, s3):
    simulator.behave(fail_rate=1, only_inputs=["/b/", "0001.jsonl"])
    keys = ["spared/a/0000.jsonl", "spared/a/0001.jsonl", "spared/b/0000.jsonl"]
    arns = [jobs.create(bedrock, jobs.put_lines(s3, key, map(jobs.record, range(100)))) for key in keys]
    assert [jobs.finish(bedrock, arn)["status"] for arn in arns] == ["Completed", "Failed", "Failed"]


@pytest.fixture
def behave_about(simulator):
    """Sets the behaviour about a part of addresses or texts, until the end of the test."""
    parts = []

    def behave(part, **changes):
        parts.append(part)
        status, _, answer = simulator.request("PUT", f"/_simulator/behaviour?about={part}", changes)
        assert status == 200, answer
        return answer

    yield behave
    for part in parts:
        simulator.request("DELETE", f"/_simulator/behaviour?about={part}")


def test_jobs_and_requests_can_have_a_behaviour_of_their_own(simulator, bedrock, runtime, s3, behave_about):
    behave_about("/own/b/", fail_rate=1)
    behave_about("thunder", invoke_throttle_rate=1)
    keys = ["own/a/0000.jsonl", "own/b/0000.jsonl"]
    arns = [jobs.create(bedrock, jobs.put_lines(s3, key, map(jobs.record, range(100)))) for key in keys]
    assert [jobs.finish(bedrock, arn)["status"] for arn in arns] == ["Completed", "Failed"]
    (failed,) = simulator.request("GET", "/_simulator/jobs?about=/own/b/")[2]["jobs"]
    assert (failed["jobArn"], failed["status"]) == (arns[1], "Failed")
    assert converse(runtime, "A word about lightning")["stopReason"]
    with pytest.raises(ClientError, match="ThrottlingException"):
        converse(runtime, "A word about thunder")


def test_a_behaviour_of_its_own_begins_with_the_defaults_and_ends(simulator, behave_about):
    simulator.behave(fail_rate=1, seed=7)
    route = "/_simulator/behaviour?about=/own/"
    assert simulator.request("GET", route)[0] == 404
    assert behave_about("/own/", partial_rate=1) == {**simulator.default_behaviour, "partial_rate": 1}
    assert behave_about("/own/", seed=3)["partial_rate"] == 1
    assert simulator.request("PUT", route, {"fial_rate": 1})[0] == 400
    assert simulator.request("GET", "/_simulator/behaviour")[2]["fail_rate"] == 1
    simulator.request("DELETE", route)
    assert simulator.request("GET", route)[0] == 404


def test_a_quota_of_its_own_counts_no_other_jobs(simulator, bedrock, behave_about):
    simulator.behave(job_seconds=600)
    behave_about("/own/", create_quota=1, job_seconds=600)
    for uri in ("s3://bucket/other/0.jsonl", "s3://bucket/own/0.jsonl", "s3://bucket/other/1.jsonl"):
        jobs.create(bedrock, uri)
    with pytest.raises(ClientError, match="ServiceQuotaExceededException"):
        jobs.create(bedrock, "s3://bucket/own/1.jsonl")


def test_a_job_can_be_over_before_its_creation_is_answered(simulator, bedrock, s3):
    simulator.behave(finish_before_first_event=True)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    assert jobs.get(bedrock, arn)["status"] == "Completed"


def test_a_reset_forgets_and_ends_all_jobs(simulator, bedrock, s3):
    simulator.behave(job_seconds=2)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    assert [job["jobArn"] for job in simulator.jobs()] == [arn]
    simulator.request("POST", "/_simulator/reset")
    assert simulator.jobs() == []
    with pytest.raises(ClientError, match="Could not find job"):
        jobs.get(bedrock, arn)
