"""The simulator misbehaves as it is told, and the same way each time."""

import jobs
import pytest
from botocore.exceptions import ClientError


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

    names = [f"throttled-{index}" for index in range(10)]
    needed = [attempts(jobs.request(jobName=name)) for name in names]
    assert max(needed) > 1
    assert len(simulator.jobs()) == 10
    simulator.request("POST", "/_simulator/reset")
    # In another order: what is decided depends on the names.
    assert [attempts(jobs.request(jobName=name)) for name in names[::-1]] == needed[::-1]


def test_a_repeated_invocation_gets_through_in_the_end(simulator, runtime):
    simulator.behave(invoke_throttle_rate=0.5, invoke_5xx_rate=0.3)
    outcomes = []
    for index in range(40):
        messages = [{"role": "user", "content": [{"text": f"Question {index % 8}"}]}]
        try:
            runtime.converse(modelId=jobs.MODEL, messages=messages)
            outcomes.append("answered")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert {"answered", "ThrottlingException"} <= set(outcomes)


def test_a_job_takes_the_seconds_it_is_told(simulator, bedrock, s3):
    simulator.behave(job_seconds=2)
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_input(s3)))
    assert 1.9 <= (job["endTime"] - job["submitTime"]).total_seconds() < 4


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
