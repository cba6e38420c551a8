"""State machines on MiniStack's engine, with Python functions in place of Lambda functions."""

import json
import threading

from local_stack.ministack_as_aws import ABORTED, stepfunctions
from local_stack.processes import wait_for

ROLE = "arn:aws:iam::000000000000:role/role"
FAILURE = stepfunctions._ExecutionError("Broken", json.dumps({"errorType": "Broken", "errorMessage": "no"}))


class Functions:
    """Functions that the steps invoke: each call is recorded, then answered as the test defines for that function."""

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
    """Returns a step that invokes a function with its input."""
    return {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": name, "Payload": "{% $states.input %}"},
        "Output": "{% $states.input %}",
        # Longer than any test waits, but short enough for a failed test to end.
        "TimeoutSeconds": 120,
        **fields,
    }


def waiting_step(name, **fields):
    """Returns a step that invokes a function with its input and waits for the answer to its token."""
    payload = {"token": "{% $states.context.Task.Token %}", "item": "{% $states.input %}"}
    return step(
        name,
        Resource="arn:aws:states:::lambda:invoke.waitForTaskToken",
        Arguments={"FunctionName": name, "Payload": payload},
        **fields,
    )


def distributed_map(*steps, **fields):
    """Returns a map whose children execute the named steps in sequence."""
    names = [name for name, _ in steps]
    states = {
        name: {**state, **({"Next": after} if after else {"End": True})}
        for (name, state), after in zip(steps, [*names[1:], None], strict=True)
    }
    return {
        "Type": "Map",
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject"},
        "MaxConcurrencyPath": "$.max_concurrency",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": names[0], "States": states},
        "ResultPath": None,
        **fields,
    }


def state_machine(name, **states):
    """Creates a state machine with these states, which starts with the first one, and returns its ARN."""
    definition = {"StartAt": next(iter(states)), "States": states}
    return call("_create_state_machine", name=name, definition=json.dumps(definition), roleArn=ROLE)[1][
        "stateMachineArn"
    ]


class Execution:
    """Started execution of a state machine with these states, which starts with the first one."""

    def __init__(self, items=(), max_concurrency=10, **states):
        machine = state_machine("machine", **states)
        input_ = json.dumps({"items": list(items), "max_concurrency": max_concurrency})
        _, started = call("_start_execution", stateMachineArn=machine, input=input_)
        self.arn = started["executionArn"]

    @property
    def described(self):
        return call("_describe_execution", executionArn=self.arn)[1]

    def end(self):
        assert wait_for(lambda: self.described["status"] != "RUNNING", seconds=60)
        return self.described

    def stop(self):
        return call("_stop_execution", executionArn=self.arn)

    @property
    def map_runs(self):
        return [run["mapRunArn"] for run in call("_list_map_runs", executionArn=self.arn)[1]["mapRuns"]]

    @property
    def children(self):
        """The statuses of all children of its maps."""
        listed = (call("_list_executions", mapRunArn=arn)[1]["executions"] for arn in self.map_runs)
        return [child["status"] for children in listed for child in children]

    def has_children(self, count):
        """Returns True once this number of children exist and none of them is running or about to be marked as aborted."""
        own = [child for child in list(stepfunctions._executions.values()) if child.get("mapRunArn") in self.map_runs]
        open_ = [child for child in own if child["status"] == "RUNNING" or child.get("error") == ABORTED]
        return len(own) == count and not open_

    def wait_for_children(self, count):
        """Waits until this number of children exist and none of them is running."""
        assert wait_for(lambda: self.has_children(count), seconds=60), self.children
        return self.children


def eventually(condition):
    assert wait_for(condition, seconds=60)
