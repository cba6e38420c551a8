"""Corrections of MiniStack's Step Functions for the steps and children of a run."""

import threading

import pytest
from stepfunctions_for_tests import FAILURE, Execution, call, distributed_map, eventually, step, waiting_step


def test_each_attempt_has_its_own_token(functions):
    def fail_first_attempt(event):
        if len(functions.of("submit")) == 1:
            raise FAILURE
        return {}

    functions.answers["submit"] = fail_first_attempt
    retry = [{"ErrorEquals": ["Broken"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    execution = Execution(Wait=waiting_step("submit", Retry=retry, End=True))
    eventually(lambda: len(functions.of("submit")) == 2)
    first, second = (event["token"] for event in functions.of("submit"))
    assert first != second
    # An answer to the first attempt is not one to the second.
    assert call("_send_task_success", taskToken=first, output="{}")[0] == 400
    assert call("_send_task_success", taskToken=second, output="{}")[0] == 200
    assert execution.end()["status"] == "SUCCEEDED"


def test_a_failed_function_fails_the_step_that_waits_for_its_token(functions):
    def broken(event):
        raise FAILURE

    functions.answers = {"first": broken, "second": broken}
    retry = [{"ErrorEquals": ["Broken"], "MaxAttempts": 2, "IntervalSeconds": 1}]
    execution = Execution(
        items=["a"],
        One=distributed_map(
            ("Submit", waiting_step("first", Retry=retry)),
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Two"}],
        ),
        Two=distributed_map(("SubmitAgain", waiting_step("second")), End=True),
    )
    assert execution.end()["error"] == "States.ExceedToleratedFailureThreshold"
    assert (len(functions.of("first")), len(functions.of("second"))) == (3, 1)


@pytest.mark.parametrize("limit", [1, 3])
def test_a_distributed_map_takes_its_concurrency_from_the_path(functions, limit):
    running, maximum, lock = 0, 0, threading.Lock()
    together = threading.Barrier(limit)

    def work(event):
        nonlocal running, maximum
        with lock:
            running += 1
            maximum = max(maximum, running)
        together.wait(timeout=60)
        with lock:
            running -= 1
        return {}

    functions.answers = {"work": work}
    execution = Execution(items=range(6), max_concurrency=limit, Map=distributed_map(("Work", step("work")), End=True))
    assert execution.end()["status"] == "SUCCEEDED"
    assert maximum == limit


def test_stopping_an_execution_aborts_waiting_children_and_starts_no_others(functions, events):
    execution = Execution(
        items=range(4),
        max_concurrency=2,
        Map=distributed_map(("Submit", waiting_step("submit")), ("Postprocess", step("postprocess")), Next="After"),
        After=step("after", End=True),
    )
    eventually(lambda: len(functions.of("submit")) == 2)
    tokens = [event["token"] for event in functions.of("submit")]
    execution.stop()
    assert execution.wait_for_children(4) == ["ABORTED"] * 4
    for token in tokens:
        status, answer = call("_send_task_success", taskToken=token, output="{}")
        assert (status, answer["__type"]) == (400, "TaskDoesNotExist")
    assert len(functions.of("submit")) == 2
    assert functions.of("postprocess") == functions.of("after") == []
    assert execution.described["status"] == "ABORTED"
    assert events == [(execution.arn, "RUNNING"), (execution.arn, "ABORTED")]


def test_a_function_running_when_its_execution_is_stopped_completes_without_a_next_step(functions):
    started, stopped = threading.Event(), threading.Event()

    def slow(event):
        started.set()
        assert stopped.wait(timeout=60)
        return {}

    functions.answers = {"slow": slow}
    execution = Execution(items=["a"], Map=distributed_map(("Slow", step("slow")), ("Next", step("next")), End=True))
    assert started.wait(timeout=60)
    execution.stop()
    stopped.set()
    assert execution.wait_for_children(1) == ["ABORTED"]
    assert functions.of("next") == []


def test_a_step_that_starts_waiting_while_its_execution_is_stopped_is_aborted(functions):
    started, stopped = threading.Event(), threading.Event()

    def submit(event):
        started.set()
        assert stopped.wait(timeout=60)
        return {}

    functions.answers = {"submit": submit}
    execution = Execution(items=["a"], Map=distributed_map(("Submit", waiting_step("submit")), End=True))
    assert started.wait(timeout=60)
    execution.stop()
    stopped.set()
    assert execution.wait_for_children(1) == ["ABORTED"]


@pytest.mark.parametrize("kind", [step, waiting_step])
def test_a_stopped_execution_does_not_retry(functions, kind):
    def broken(event):
        raise FAILURE

    functions.answers = {"submit": broken}
    retry = [{"ErrorEquals": ["Broken"], "MaxAttempts": 100_000, "IntervalSeconds": 1, "BackoffRate": 1}]
    execution = Execution(items=["a"], Map=distributed_map(("Submit", kind("submit", Retry=retry)), End=True))
    eventually(lambda: len(functions.of("submit")) > 2)
    execution.stop()
    assert execution.wait_for_children(1) == ["ABORTED"]


def test_a_stopped_execution_does_not_become_a_failed_one(functions, events):
    started, stopped = threading.Event(), threading.Event()

    def broken(event):
        started.set()
        assert stopped.wait(timeout=60)
        raise FAILURE

    functions.answers = {"broken": broken}
    threads = threading.active_count()
    execution = Execution(Broken=step("broken", End=True))
    assert started.wait(timeout=60)
    execution.stop()
    stopped.set()
    eventually(lambda: threading.active_count() <= threads)
    assert execution.described["status"] == "ABORTED"
    assert [status for _, status in events] == ["RUNNING", "ABORTED"]


def test_stopping_an_execution_does_not_affect_others(functions):
    machine = {"Map": distributed_map(("Submit", waiting_step("submit")), End=True)}
    first, second = Execution(items=["a"], **machine), Execution(items=["b"], **machine)
    eventually(lambda: len(functions.of("submit")) == 2)
    first.stop()
    (token,) = [event["token"] for event in functions.of("submit") if event["item"] == "b"]
    assert call("_send_task_success", taskToken=token, output="{}")[0] == 200
    assert second.end()["status"] == "SUCCEEDED"


def test_the_first_failed_child_ends_its_map(functions):
    def submit(event):
        if event["item"] == 1:
            eventually(lambda: len(functions.of("submit")) == 2)
            raise FAILURE
        return {}

    functions.answers = {"submit": submit}
    execution = Execution(
        items=range(4),
        max_concurrency=2,
        Map=distributed_map(
            ("Submit", waiting_step("submit")),
            ("Postprocess", step("postprocess")),
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Explain"}],
        ),
        Explain=step("explain", End=True),
    )
    assert execution.end()["status"] == "SUCCEEDED"
    assert sorted(execution.children) == ["ABORTED", "ABORTED", "ABORTED", "FAILED"]
    assert len(functions.of("submit")) == 2
    assert functions.of("postprocess") == []
    assert len(functions.of("explain")) == 1, "the state after the map is not one of its children"


def test_a_tolerated_failure_does_not_end_the_map(functions):
    def work(event):
        if event == 1:
            raise FAILURE
        return {}

    functions.answers = {"work": work}
    execution = Execution(
        items=range(4),
        max_concurrency=1,
        Map=distributed_map(("Work", step("work")), ToleratedFailureCount=1, End=True),
    )
    assert execution.end()["status"] == "SUCCEEDED"
    assert sorted(execution.children) == ["FAILED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]
