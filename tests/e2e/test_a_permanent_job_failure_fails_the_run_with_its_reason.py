"""The execution ends under the error's name, with Bedrock's own message and what to do about it."""

from stack.inputs import csv_text, topic_table

MESSAGE = "Access denied when reading s3://a-bucket/0000.jsonl: check the role."


def execution_input(stack) -> dict:
    return stack.joke(stack.put_input(csv_text(topic_table(300))), max_records_per_job=100)


def play(stack):
    return {
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


def test_the_function_may_not_create_jobs(played):
    run = played["denied"]
    error, cause = run.failure()
    assert error == "AccessDenied"
    assert "not authorized to perform: bedrock:CreateModelInvocationJob" in cause
    assert "docs/runbook.md, section `AccessDenied`" in cause, "what to do"
    assert run.jobs == []
