"""The email of a run that is not a stage: completed, with rows that failed, refused, failed at Bedrock, stopped."""

from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 120
TITAN = "amazon.titan-embed-text-v2:0"
DENIED = "Access denied to s3://a-bucket/x: check the role."


def play(stack):
    texts = "\n".join(['""', '""', *(f"text {number}" for number in range(COUNT))])
    rows = stack.put_input(csv_text(topic_table(COUNT)))
    slow = {"processing_mode": "realtime", "requests_per_second": 0.1, "max_workers": 1}
    runs = {
        "well": stack.start(stack.joke(rows), "email-well"),
        "partly": stack.start(
            stack.joke(stack.put_input(f"input_text\n{texts}\n"), model_id=TITAN, prompt_id=None), "email-partly"
        ),
        "refused": stack.start(stack.joke(rows, prompt_id="no-such-prompt", max_num_jobs=0), "email-refused"),
        "stopped": stack.start(stack.joke(rows, **slow), "email-stopped"),
        "denied": stack.start(stack.joke(rows), "email-denied", fail_rate=1, fail_message=DENIED),
    }
    stopped = runs["stopped"]
    wait_for("the run to be under way", lambda: stack.keys(f"runs/{stopped.run_id}/plan.json"))
    stopped.stop()
    for run in runs.values():
        run.wait()
    # Another execution continues the run: the answers are those of the run.
    runs["collected"] = stack.collect(runs["well"]).wait()
    return runs


def email_of(stack, run):
    """The email about this execution."""

    def look():
        return [email for email in stack.mailbox.all_about(run.run_id) if run.arn in email.text]

    (email,) = wait_for(f"the email of {run.name}", look)
    return email


def test_a_run_that_completed(stack, played):
    run = played["well"]
    email = email_of(stack, run)
    summary = run.summary
    assert email.subject == f"[bedrock-batch] Run {run.run_id} has completed"
    totals = email.section("TOTALS")
    assert f"{COUNT} in, {COUNT} answered, 0 failed, 0 skipped" in totals
    assert "1 batch job, 1 round" in totals
    assert f"{summary['input_tokens']:,} in, {summary['output_tokens']:,} out" in totals
    assert f"${summary['cost_usd']:.4f}" in totals
    assert list(email.links) == ["0000.parquet"]
    assert f"bedrock-batch download {run.run_id}" in email.text


def test_a_run_with_rows_that_failed(stack, played):
    run = played["partly"]
    email = email_of(stack, run)
    assert email.subject == f"[bedrock-batch] Run {run.run_id} has completed, 2 rows without an answer"
    totals = email.section("TOTALS")
    assert f"{COUNT + 2} in, {COUNT} answered, 2 failed, 0 skipped" in totals
    ((reason, count),) = run.summary["failed_reasons"].items()
    assert f"{count} x {reason}" in totals


def test_a_run_that_was_refused(stack, played):
    email = email_of(stack, played["refused"])
    assert email.subject.endswith("has failed")
    assert email.value("error") == "InvalidInput"
    for words in ("prompt_id is `no-such-prompt`", "max_num_jobs is `0`"):
        assert words in email.section("CAUSE")
    assert "bedrock-batch resume" not in email.text, "there is nothing to go on with"


def test_a_run_that_was_stopped(stack, played):
    run = played["stopped"]
    email = email_of(stack, run)
    assert email.subject == f"[bedrock-batch] Run {run.run_id} was stopped"
    assert f"bedrock-batch resume {run.run_id}" in email.text
    assert f"bedrock-batch collect {run.run_id}" in email.text


def test_the_email_of_a_resuming_execution_names_the_run(stack, played):
    email = email_of(stack, played["collected"])
    assert email.subject == f"[bedrock-batch] Run {played['well'].run_id} has completed"
    assert list(email.links) == ["0000.parquet"]


def test_a_run_whose_jobs_fail(stack, played):
    run = played["denied"]
    email = email_of(stack, run)
    assert email.subject.endswith("has failed")
    assert email.value("error") == run.failure()[0] == "JobFailed"
    assert DENIED in email.section("CAUSE")
    assert f"bedrock-batch resume {run.run_id}" in email.text
