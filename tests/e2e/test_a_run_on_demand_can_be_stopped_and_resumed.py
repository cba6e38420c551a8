"""A run on demand that is stopped halfway: its answers so far are collected, and after resuming each row was answered
once, even if it is resumed at the moment of the stop."""

from stack.checks import (
    assert_answered_on_demand,
    assert_own_answers,
    assert_rows_kept,
    assert_totals,
)
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 60
FIRST = 1_100_000


def rows(number: int):
    return topic_table(COUNT, FIRST + 1000 * number)


def start(stack, number: int):
    uri = stack.put_input(csv_text(rows(number)))
    execution_input = stack.joke(uri, requests_per_second=3, max_records_per_job=30, processing_mode="realtime")
    run = stack.start(execution_input, f"stop-on-demand-{number}")

    def answered() -> int:
        own = stack.simulator.answered_on_demand()
        texts = (stack.simulator.content(model_input) for model_input in run.again().records.values())
        return sum(own.get((execution_input["model_id"], text), 0) for text in texts)

    wait_for("the plan", lambda: stack.keys(f"runs/{run.name}/plan.json"))
    wait_for("some answers", lambda: answered() >= 5)
    return run.stop(), answered


def play(stack):
    run, answered = start(stack, 0)

    def rests() -> bool:
        before = answered()
        wait_for("a while", iter([False] * 40 + [True]).__next__)
        return answered() == before

    wait_for("the function to notice", rests)
    collected = stack.collect(run).wait()
    read = collected.output["summary"], collected.rows, answered()
    resumed = stack.resume(run).wait()
    at_once, _ = start(stack, 1)
    both = [stack.resume(at_once), stack.resume(at_once)]
    return collected, read, resumed, [execution.wait() for execution in both]


def test_requests_end_within_the_interval_of_the_stop_check(played):
    """Of 60 rows, 3 a second; a function looks whether it is wanted every 15 seconds."""
    _, (_, _, answered), *_ = played
    assert 5 <= answered <= 30


def test_collecting_gives_what_was_answered(played):
    collected, (summary, table, answered), *_ = played
    assert_rows_kept(collected, rows(0), out=table)
    assert (summary["answered"], summary["failed"]) == (answered, COUNT - answered)
    errors = [error for error in table["error"].to_pylist() if error is not None]
    assert all("not asked: the run ended before" in error for error in errors)
    assert summary["lanes"]["on_demand"]["answers"] == answered


def test_after_resuming_each_row_was_answered_once(played):
    *_, resumed, _ = played
    assert_rows_kept(resumed, rows(0))
    assert_own_answers(resumed)
    assert_answered_on_demand(resumed, rows(0), [30, 30])
    assert_totals(resumed, COUNT, answered=COUNT)


def test_resuming_at_once_answers_each_row_once_too(played):
    *_, both = played
    (resumed,) = (execution for execution in both if execution.status == "SUCCEEDED")
    assert_answered_on_demand(resumed, rows(1), [30, 30])


def test_one_of_two_concurrent_resumes_is_refused(played):
    *_, both = played
    (refused,) = (execution for execution in both if execution.status != "SUCCEEDED")
    error, cause = refused.failure()
    assert error == "InvalidInput"
    assert "still runs" in cause
