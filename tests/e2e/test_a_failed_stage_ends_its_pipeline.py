"""A stage that fails: an email names it, no later stage runs, and earlier answers stay."""

import pytest

from stack.deployed import CLAUDE, JOKE, unique
from stack.inputs import csv_text, topic_table

COUNT = 120
OTHER_MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
DAMAGED = "Access denied to s3://a-bucket/x: check the role."


def config(stack):
    # The prefix is in the addresses of the inputs of a stage's jobs.
    mark = unique("")

    def stage(name, **fields):
        prefix = f"{name}{mark}"
        return {"stage_name": name, "job_name_prefix": prefix, "model_id": CLAUDE, "prompt_id": JOKE, **fields}

    before = {"use_previous_output": True}
    return {
        "pipeline_name": "jokes on jokes",
        "stages": [
            stage("first", input_s3_uri=stack.put_input(csv_text(topic_table(COUNT)))),
            stage("second", **before, model_id=OTHER_MODEL, processing_mode="batch"),
            stage("third", **before),
        ],
    }


def play(stack):
    given = config(stack)
    # Bedrock accepts no job of the second stage's model.
    second = jobs_of(given["stages"][1])
    stack.simulator.behave(second, batch_refused_models=[OTHER_MODEL])
    pipeline = stack.play_pipeline(given, "failing")
    stack.simulator.behave_well(second)
    return pipeline


def jobs_of(stage: dict) -> str:
    """A part of the addresses of the inputs of a stage's jobs."""
    return f"/{stage['job_name_prefix']}/"


def test_the_execution_ends_with_the_stage_its_error_and_its_cause(played):
    error, cause = played.failure()
    assert error == "JobFailed"
    second = played.stages["second"]
    assert cause.startswith(f"stage `second` (2 of 3, run {second.run_id}): ")
    assert OTHER_MODEL in cause
    own_error, own_cause = second.failure()
    assert (own_error, cause.endswith(own_cause)) == (error, True)


def test_nothing_after_it_runs(stack, played):
    third = played.stages["third"]
    machine = stack.state_machine
    pages = stack.step_functions.get_paginator("list_executions").paginate(stateMachineArn=machine)
    started = {execution["name"] for page in pages for execution in page["executions"]}
    assert played.stages["first"].name in started and third.name not in started
    assert third.jobs == [] and third.items == [] and stack.keys(f"runs/{third.run_id}/") == []


def test_the_output_of_the_stages_before_it_is_whole(played):
    first = played.stages["first"]
    assert first.output["status"] == "completed"
    assert first.rows["topic"].to_pylist() == topic_table(COUNT)["topic"].to_pylist()
    assert first.rows["error"].null_count == COUNT


def test_there_is_no_summary_of_the_pipeline(stack, played):
    assert f"runs/{played.run_id}/summary.json" not in stack.keys(f"runs/{played.run_id}/")


def test_the_email_names_the_stage_the_error_and_where_to_look(played):
    email = played.email
    assert email.subject == "[bedrock-batch] Pipeline jokes on jokes has failed in stage second"
    assert email.value("where") == "stage second (2 of 3)"
    assert email.value("error") == "JobFailed"
    second = played.stages["second"]
    console = "https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/"
    for arn in (played.arn, second.arn):
        assert console + arn in email.text
    assert OTHER_MODEL in email.section("CAUSE")
    complete = email.section("COMPLETE BEFORE IT: first")
    assert f"{COUNT} in, {COUNT} answered, 0 failed" in complete


def test_one_email_is_sent_for_all_of_it(stack, played):
    assert played.email
    assert len(stack.mailbox.all_about(played.name)) == 1
    for stage in played.stages.values():
        assert [email.subject for email in stack.mailbox.all_about(stage.name)] in ([], [played.email.subject])


def test_the_links_of_the_email_lead_to_what_is_complete(played):
    assert list(played.email.links) == ["0000.parquet"]


def test_a_run_can_continue_from_the_stage_before_the_failed_one(stack, played):
    """As the email suggests: a run that reads the answers of the stage before it."""
    first = played.stages["first"]
    assert f'"run_id": "{first.run_id}", "stage_name": "first"' in played.email.text or (
        f"bedrock-batch resume {played.stages['second'].run_id}" in played.email.text
    )
    previous = {"run_id": first.run_id, "stage_name": "first"}
    again = stack.joke(None, previous_run=previous, job_name_prefix="second", model_id=OTHER_MODEL)
    run = stack.play(again, "second-again")
    assert run.summary["answered"] == COUNT
    assert run.rows["first_response"].to_pylist() == first.rows["response"].to_pylist()


@pytest.mark.parametrize("at", [0, 1])
def test_a_permanent_job_failure_is_reported_with_the_message_of_bedrock(stack, at):
    """Also in the first stage, when nothing is complete."""
    given = config(stack)
    given["stages"] = given["stages"][:2]
    stack.simulator.behave(jobs_of(given["stages"][at]), fail_message=DAMAGED, fail_rate=1)
    pipeline = stack.play_pipeline(given, f"damaged-{at}")
    error, cause = pipeline.failure()
    assert (error, DAMAGED in cause) == ("JobFailed", True), cause
    email = pipeline.email
    assert email.value("where") == f"stage {'second' if at else 'first'} ({at + 1} of 2)"
    assert DAMAGED in email.text
    assert ("No stage was complete before it." in email.text) == (at == 0)
