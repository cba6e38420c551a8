"""Each function that works outside the steps of a run is killed at each of its requests to AWS, before the request is performed
or after it, and is invoked again, as AWS does: everything happens once. Those inside runs die in the scenarios of chaos."""

import json
import uuid
from functools import partial

import pyarrow as pa
import pytest

from stack.contract import function_name
from stack.deaths import Deaths, dying, each_request
from stack.deployed import CLAUDE, unique
from stack.inputs import csv_text, topic_table
from stack.links import fetch
from stack.pipeline import Pipeline
from stack.run import Run
from stack.uploads import Uploads, executions_of
from stack.waiting import wait_for

ROWS = 110
PROMPT = {"description": "d", "template": "A word about {topic}."}
CODES = [{"code": "A01", "term": "Broken", "definition": "It broke."}]


def repeat(stack, deaths: Deaths, payload: dict) -> dict:
    """Invokes a function, and once more if it died."""
    name = function_name(deaths.function)
    answer = stack.functions.invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    body = json.loads(answer["Payload"].read() or b"null")
    deaths.disarm()
    assert ("FunctionError" in answer) == deaths.died, body
    return stack.invoke(name, payload) if deaths.died else body


def deliver(stack, function: str, event: dict) -> dict:
    """Invokes a function with an event until it succeeds, at most as often as AWS does. It may die once more: at the end of the
    invocation before."""
    for _ in range(2):
        answer = stack.functions.invoke(FunctionName=function_name(function), Payload=json.dumps(event).encode())
        body = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" not in answer:
            return body
    return stack.invoke(function_name(function), event)


def test_validate_freezes_the_same_files(stack, misbehaving):
    stage = {"stage_name": "only", "job_name_prefix": "dying", "model_id": CLAUDE, "prompt": PROMPT}
    config = {"pipeline_name": "dying", "stages": [stage]}
    stage["input_s3_uri"] = stack.put_input(csv_text(topic_table(ROWS)))
    frozen = set()
    with dying(stack, "validate") as deaths:
        for number in each_request(deaths):
            pipeline = Pipeline(stack, unique(f"validate-dies-{number}"))
            payload = {
                "action": "pipeline",
                "execution_name": pipeline.name,
                "execution_arn": pipeline.arn,
                "started_at": "2026-11-30T12:00:00Z",
                "input": config,
            }
            answer = repeat(stack, deaths, payload)
            assert answer == stack.invoke(function_name("validate"), payload), "the same, however often it is repeated"
            names = [stage["execution_name"] for stage in pipeline.frozen["stages"]]
            assert [name.removeprefix(pipeline.name)[:3] for name in names] == ["-0-"]
            keys = sorted(key.removeprefix(f"runs/{pipeline.name}/") for key in stack.keys(f"runs/{pipeline.name}/"))
            frozen.add(tuple(keys))
    assert len(frozen) == 1, f"the same files, wherever it died: {frozen}"


@pytest.fixture(scope="module")
def completed(stack):
    """A run whose email was sent, with the event that led to it."""
    run = stack.play(stack.joke(stack.put_input(csv_text(topic_table(ROWS)))), "to-be-reported")
    assert run.output["status"] == "completed"
    assert stack.mailbox.about(run.name)
    return run


def ended_event(stack, run: Run) -> dict:
    """The event that AWS sends at the end of an execution."""
    end = run.describe()
    detail = {
        "executionArn": run.arn,
        "stateMachineArn": stack.state_machine,
        "name": run.name,
        "status": end["status"],
        "startDate": int(end["startDate"].timestamp() * 1000),
        "stopDate": int(end["stopDate"].timestamp() * 1000),
        "input": end["input"],
        "output": end.get("output"),
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "account": "000000000000",
        "time": "2026-11-30T12:00:00Z",
        "region": "us-east-1",
        "resources": [run.arn],
        "detail": detail,
    }


def test_notify_sends_at_least_one_email_and_at_most_two(stack, misbehaving, completed):
    """One email; two if the function dies after it has sent one and before it learns of that."""
    event = ended_event(stack, completed)
    sent = []
    with dying(stack, "notify") as deaths:
        for _ in each_request(deaths):
            before = len(stack.mailbox.all_about(completed.name))
            repeat(stack, deaths, event)
            emails = stack.mailbox.all_about(completed.name)
            sent.append(len(emails) - before)
            assert emails[-1].links
    assert sent[-1] == 1 and set(sent) <= {1, 2} and sent.count(2) <= 1, sent


@pytest.mark.parametrize("is_valid", [True, False])
def test_trigger_starts_one_execution_or_reports_why_not(stack, misbehaving, is_valid):
    """An upload starts one execution, or leaves its error file and an email."""
    run = {"job_name_prefix": "dying", "model_id": "gpt-4", "prompt": PROMPT, "s3_uri": "s3://nowhere/x.csv"}
    body = json.dumps(run) if is_valid else '{"job_name_prefix": oops}'
    with Uploads(stack) as heard, dying(stack, "trigger") as deaths:
        for _ in each_request(deaths):
            mark = uuid.uuid4().hex[:8]
            key = f"trigger/{mark}.json"
            # By its own event, and again by what AWS repeats after it has died.
            stack.put(key, body)
            event = heard.event_of(key)
            wait_for("the end of the function", partial(has_ended, stack, deaths, mark), pause=0.3)
            deaths.disarm()
            again = deliver(stack, "trigger", event)
            if is_valid:
                (arn,) = wait_for("the execution", partial(executions_of, stack, mark))
                assert again == {"started": arn.rsplit(":", 1)[1]}
                assert Run(stack, again["started"]).wait().failure()[0] == "InvalidInput"
                assert stack.invoke(function_name("trigger"), event) == again
                assert executions_of(stack, mark) == [arn]
            else:
                report = json.loads(stack.read(f"s3://{stack.bucket}/{key}.error.json"))
                assert "is not valid JSON" in report["problems"][0]
                assert 1 <= len(stack.mailbox.all_about(mark)) <= 3
                assert executions_of(stack, mark) == []


def has_ended(stack, deaths: Deaths, mark: str) -> bool:
    """The last request of the function starts an execution, or sends an email."""
    return deaths.died or bool(executions_of(stack, mark) or stack.mailbox.all_about(mark))


def test_stop_jobs_stops_every_job(stack, misbehaving):
    """All jobs of a stopped run are stopped, and the run can be resumed."""
    misbehaving(job_seconds=300)
    rows = stack.put_input(csv_text(topic_table(2 * ROWS)))
    wanted = stack.joke(rows, max_records_per_job=ROWS, max_retry_rounds=0)
    runs = []
    with dying(stack, "stop-jobs") as deaths:
        for number in each_request(deaths):
            run = stack.start(wanted, f"stop-jobs-dies-{number}")
            runs.append(run)
            wait_for("both jobs", partial(has_jobs, run, 2))
            run.stop()
            # By the event of its own, and again by what AWS repeats after it has died.
            wait_for("the end of the function", partial(is_stopping, deaths, run))
            deaths.disarm()
            deliver(stack, "stop-jobs", ended_event(stack, run))
            statuses = {job["status"] for job in run.jobs}
            assert statuses <= {"Stopping", "Stopped"}, statuses
    stack.simulator.behave_well()
    resumed = stack.resume(runs[0]).wait()
    assert resumed.summary["answered"] == 2 * ROWS


def is_stopping(deaths: Deaths, run: Run) -> bool:
    return deaths.died or {job["status"] for job in run.jobs} <= {"Stopping", "Stopped"}


def has_jobs(run: Run, count: int) -> bool:
    return [("job_arn" in item) for item in run.items] == [True] * count


def test_a_link_opens_at_the_next_click(stack, misbehaving, completed):
    """A link whose function dies works at the next click."""
    link = next(iter(stack.mailbox.about(completed.name).links.values()))
    statuses = []
    with dying(stack, "download") as deaths:
        for _ in each_request(deaths):
            answer = fetch(link)
            deaths.disarm()
            statuses.append(answer.status)
            assert answer.status in (302, 500, 502, 503), answer
            again = fetch(link)
            assert again.status == 302 and "location" in again.headers
    assert statuses[-1] == 302 and statuses[0] != 302, statuses


def test_classifier_starts_one_run(stack, misbehaving):
    """A payload with a token starts one run, however often it is invoked."""
    reports = csv_text(pa.table({"id": ["1", "2"], "mdr_text": ["It broke while I used it.", "It is bent."]}))
    payload = {
        "input_bucket": stack.bucket,
        "input_key": stack.put_input(reports, "reports.csv").removeprefix(f"s3://{stack.bucket}/"),
        "output_bucket": stack.bucket,
        "output_prefix": f"classified/{unique('dying')}",
        "problem_type": "product",
        "imdrf_bucket": stack.bucket,
        "imdrf_key": stack.put_input(json.dumps(CODES), "codes.json").removeprefix(f"s3://{stack.bucket}/"),
    }
    with dying(stack, "classifier") as deaths:
        for _ in each_request(deaths):
            before = classifications(stack)
            again = repeat(stack, deaths, {**payload, "client_token": uuid.uuid4().hex})
            assert classifications(stack) - before == {again["run_id"]}
            assert Run(stack, again["run_id"]).wait().summary["answered"] == 2


def classifications(stack) -> set[str]:
    pages = stack.step_functions.get_paginator("list_executions").paginate(stateMachineArn=stack.state_machine)
    names = (execution["name"] for page in pages for execution in page["executions"])
    return {name for name in names if name.startswith("imdrf-")}
