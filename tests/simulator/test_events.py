"""State changes on EventBridge: their form, their order, and the ways in which they are unreliable."""

import json
import re
import time

import pytest

import jobs
from conftest import local_client

LIFE = ["Submitted", "Validating", "Scheduled", "InProgress", "Completed"]


@pytest.fixture(scope="session")
def queue(local_aws):
    """A queue behind a rule on the simulator's events."""
    sqs, events = local_client(local_aws, "sqs"), local_client(local_aws, "events")
    url = sqs.create_queue(QueueName="job-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["local.bedrock"], "detail-type": ["Batch Inference Job State Change"]}
    events.put_rule(Name="job-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="job-events", Targets=[{"Id": "queue", "Arn": arn}])
    return sqs, url


def receive(queue, arn, count=0, quiet_seconds=1.0):
    """All events about a job: waits for this number of them, then until no more arrive for a while."""
    sqs, url = queue
    events: list[dict] = []
    begin = last = time.monotonic()
    while time.monotonic() - last < quiet_seconds or (len(events) < count and time.monotonic() - begin < 60):
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            event = json.loads(message["Body"])
            if event["detail"]["batchJobArn"] == arn:
                events.append(event)
                last = time.monotonic()
        time.sleep(0.05)
    return events


def statuses(events):
    return [event["detail"]["status"] for event in events]


def test_every_step_is_reported_in_aws_own_form(simulator, bedrock, s3, queue):
    arn = jobs.create(bedrock, jobs.put_input(s3), jobName="reported")
    jobs.finish(bedrock, arn)
    events = receive(queue, arn, len(LIFE))
    assert sorted(statuses(events), key=LIFE.index) == LIFE
    for event in events:
        assert event["source"] == "local.bedrock"
        assert event["detail-type"] == "Batch Inference Job State Change"
        assert event["resources"] == [arn]
        detail = event["detail"]
        created = detail.pop("creationTime")
        assert re.fullmatch(r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}:\d{2} [AP]M", created)
        assert detail == {
            "version": "0.0",
            "accountId": "000000000000",
            "batchJobName": "reported",
            "batchJobArn": arn,
            "batchModelId": f"arn:aws:bedrock:us-east-1:000000000000:inference-profile/{jobs.MODEL}",
            "status": detail["status"],
            "failureMessage": "",
        }


def test_a_failure_is_reported_with_its_message(simulator, bedrock, s3, queue):
    simulator.behave(fail_rate=1, fail_message="told to")
    arn = jobs.create(bedrock, jobs.put_input(s3))
    jobs.finish(bedrock, arn)
    failed = [event for event in receive(queue, arn, 3) if event["detail"]["status"] == "Failed"]
    assert [event["detail"]["failureMessage"] for event in failed] == ["told to"]


def test_a_stop_is_reported(simulator, bedrock, s3, queue):
    simulator.behave(job_seconds=600)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    bedrock.stop_model_invocation_job(jobIdentifier=arn)
    jobs.finish(bedrock, arn)
    assert set(statuses(receive(queue, arn, 3))) == {"Submitted", "Stopping", "Stopped"}


def test_events_can_all_be_lost(simulator, bedrock, s3, queue):
    simulator.behave(event_lost_rate=1)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    assert jobs.finish(bedrock, arn)["status"] == "Completed"
    assert receive(queue, arn) == []


def test_events_can_all_come_twice(simulator, bedrock, s3, queue):
    simulator.behave(event_duplicate_rate=1)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    jobs.finish(bedrock, arn)
    assert sorted(statuses(receive(queue, arn, 2 * len(LIFE)))) == sorted(LIFE * 2)


def test_events_can_be_late_and_in_another_order(simulator, bedrock, s3, queue):
    simulator.behave(event_delay_seconds=2, job_seconds=0.2)
    orders = []
    for number in range(3):
        arn = jobs.create(bedrock, jobs.put_input(s3), jobName=f"late-{number}")
        jobs.finish(bedrock, arn)
        orders.append(statuses(receive(queue, arn, len(LIFE))))
    assert all(sorted(order) == sorted(LIFE) for order in orders)
    assert any(order != LIFE for order in orders)


def test_a_job_can_be_over_before_its_first_event(simulator, bedrock, s3, queue):
    simulator.behave(finish_before_first_event=True)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    assert jobs.get(bedrock, arn)["status"] == "Completed"
    assert sorted(statuses(receive(queue, arn, len(LIFE))), key=LIFE.index) == LIFE
