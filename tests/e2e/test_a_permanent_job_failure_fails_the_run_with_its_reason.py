"""The execution ends under the error's name, with Bedrock's own message and what to do about it."""

from stack.inputs import csv_text, topic_table

UNKNOWN = "The gasket of request 7f3a blew."
MESSAGE = "Access denied when reading s3://a-bucket/0000.jsonl: check the role."


def execution_input(stack) -> dict:
    return stack.joke(stack.put_input(csv_text(topic_table(300))), max_records_per_job=100)


def one_job(stack) -> dict:
    return stack.joke(stack.put_input(csv_text(topic_table(150, 1000))), max_records_per_job=150)


def play(stack):
    return {
        "unknown": stack.play(execution_input(stack), "unknown", fail_rate=1, fail_message=UNKNOWN),
        "unknown alone": stack.play(one_job(stack), "unknown-alone", fail_rate=1, fail_message=UNKNOWN),
        "failed": stack.play(execution_input(stack), "failed", fail_rate=1, fail_message=MESSAGE),
        "denied": stack.play(execution_input(stack), "denied", denied_operations=["CreateModelInvocationJob"]),
    }


def test_all_jobs_fail(played):
    run = played["failed"]
    error, cause = run.failure()
    assert error == "JobFailed"
    assert MESSAGE in cause
    assert "service role" in cause, "what to do"
    assert any(job["jobName"] in cause for job in run.jobs), "which job"
    assert {job["status"] for job in run.jobs} == {"Failed"}
    assert {job["createCalls"] for job in run.jobs} == {1}, "a job that fails for good is not tried again"
    assert all(item["answered"] for item in run.items)


def test_three_jobs_with_the_same_unknown_message(played):
    run = played["unknown"]
    error, cause = run.failure()
    assert error == "JobFailed"
    assert UNKNOWN in cause
    assert "3 jobs of the run failed like this" in cause
    assert len(run.jobs) == 3, "no round begins"


def test_all_jobs_of_a_run_fail_with_an_unknown_message(played):
    run = played["unknown alone"]
    error, cause = run.failure()
    assert error == "JobFailed"
    assert UNKNOWN in cause
    assert "all 2 Bedrock jobs of the run failed" in cause
    assert [attempt.lane for attempt in run.job_attempts] == ["batch", "batch"], "nothing was sent on demand"


def test_the_function_may_not_create_jobs(played):
    run = played["denied"]
    error, cause = run.failure()
    assert error == "AccessDenied"
    assert "not authorized to perform: bedrock:CreateModelInvocationJob" in cause
    assert "docs/runbook.md, section `AccessDenied`" in cause, "what to do"
    assert run.jobs == []
