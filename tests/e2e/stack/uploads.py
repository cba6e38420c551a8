"""Uploads under `trigger/`: their events, and the executions that they started."""

import json
import uuid

from stack.contract import PREFIXES, function_name
from stack.waiting import wait_for

FUNCTION = function_name("trigger")


class Uploads:
    """Hears of uploads from now on, as the function does."""

    def __init__(self, stack):
        self._stack, self._queue = stack, stack.client("sqs")
        self._name = f"uploads-{uuid.uuid4().hex[:8]}"
        self._url = self._queue.create_queue(QueueName=self._name)["QueueUrl"]
        attributes = self._queue.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [stack.bucket]}, "object": {"key": [{"prefix": f"{PREFIXES['TRIGGER']}/"}]}},
        }
        stack.events.put_rule(Name=self._name, EventPattern=json.dumps(pattern))
        stack.events.put_targets(Rule=self._name, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
        self._events: list[dict] = []

    def __enter__(self) -> "Uploads":
        return self

    def __exit__(self, *_):
        self._stack.events.remove_targets(Rule=self._name, Ids=["queue"])
        self._stack.events.delete_rule(Name=self._name)

    def event_of(self, key: str) -> dict:
        """Waits for the first event of this upload, and returns it."""

        def look() -> list[dict]:
            for message in self._queue.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
                self._events.append(json.loads(message["Body"]))
                self._queue.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            return [event for event in self._events if event["detail"]["object"]["key"] == key]

        return wait_for(f"the event of {key}", look)[0]


def executions_of(stack, stem: str) -> list[str]:
    """The ARNs of all executions that uploads of this name started, of runs and of pipelines."""
    found = []
    for machine in (stack.state_machine, stack.environment["PIPELINE_STATE_MACHINE_ARN"]):
        pages = stack.step_functions.get_paginator("list_executions").paginate(stateMachineArn=machine)
        for page in pages:
            found += [
                execution["executionArn"]
                for execution in page["executions"]
                # The name, and the digits of the upload; stages have more behind it.
                if execution["name"].rpartition("-")[0] == stem
            ]
    return found
