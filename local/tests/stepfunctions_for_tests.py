"""State machines on MiniStack's engine, with functions that are Python here."""

import json
import threading

from local_stack.ministack_as_aws import stepfunctions
from local_stack.processes import wait_for

ROLE = "arn:aws:iam::000000000000:role/role"
FAILURE = stepfunctions._ExecutionError("Broken", json.dumps({"errorType": "Broken", "errorMessage": "no"}))


class Functions:
    """What the steps invoke: each call is written down, then answered by what the test says for that function."""

    def __init__(self):
        self.calls = []
        self.answers = {}
        self.lock = threading.Lock()

    def __call__(self, function, event):
        name = function.rpartition(":")[2]
        with self.lock:
            self.calls.append((name, event))
        return self.answers.get(name, lambda event: {})(event)

    def of(self, name):
        return [event for function, event in self.calls if function == name]


def call(action, **data):
    status, _, body = getattr(stepfunctions, action)(data)
    return status, json.loads(body)


def step(name, **fields):
    """A step that invokes a function with its input."""
    return {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": name, "Payload": "{% $states.input %}"},
        "Output": "{% $states.input %}",
        # Longer than any test waits, and short enough to let a failed one end.
        "TimeoutSeconds": 15,
        **fields,
    }


def waiting_step(name, **fields):
    """The same, and waits for an answer to its token."""
    payload = {"token": "{% $states.context.Task.Token %}", "item": "{% $states.input %}"}
    return step(
        name,
        Resource="arn:aws:states:::lambda:invoke.waitForTaskToken",
        Arguments={"FunctionName": name, "Payload": payload},
        **fields,
    )


def distributed_map(*steps, **fields):
    """A map whose children go through the named steps one after the other."""
    names = [name for name, _ in steps]
    states = {name: {**state, **({"Next": after} if after else {"End": True})} for (name, state), after in zip(steps, [*names[1:], None], strict=True)}
    return {
        "Type": "Map",
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject"},
        "MaxConcurrencyPath": "$.max_concurrency",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": names[0], "States": states},
        "ResultPath": None,
        **fields,
    }


def state_machine(name, **states):
    """The ARN of a machine with these states, which begins with the first."""
    definition = {"StartAt": next(iter(states)), "States": states}
    return call("_create_state_machine", name=name, definition=json.dumps(definition), roleArn=ROLE)[1]["stateMachineArn"]


class Execution:
    """A started execution of a machine with these states, which begins with the first."""

    def __init__(self, items=(), max_concurrency=10, **states):
        machine = state_machine("machine", **states)
        given = json.dumps({"items": list(items), "max_concurrency": max_concurrency})
        _, started = call("_start_execution", stateMachineArn=machine, input=given)
        self.arn = started["executionArn"]

    @property
    def described(self):
        return call("_describe_execution", executionArn=self.arn)[1]

    def end(self):
        assert wait_for(lambda: self.described["status"] != "RUNNING", seconds=10)
        return self.described

    def stop(self):
        return call("_stop_execution", executionArn=self.arn)

    @property
    def children(self):
        """The statuses of the children of its maps."""
        maps = call("_list_map_runs", executionArn=self.arn)[1]["mapRuns"]
        listed = (call("_list_executions", mapRunArn=each["mapRunArn"])[1]["executions"] for each in maps)
        return [child["status"] for children in listed for child in children]

    def wait_for_children(self, count):
        """Until nothing of it runs any more."""
        assert wait_for(lambda: len(self.children) == count and "RUNNING" not in self.children, seconds=10), self.children
        return self.children


def eventually(condition):
    assert wait_for(condition, seconds=10)
