"""`max_workers` and `requests_per_second` hold for a whole run, regardless of the number of files with its rows;
requests that are throttled or meet a fault are repeated, no sooner than Bedrock allows, and each row is answered
once."""

from datetime import UTC, datetime

from stack.checks import assert_answered_on_demand
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

FIRST = 600_000


def start(stack, number: int, count: int, **fields):
    """A run on demand, and its rows."""
    rows = topic_table(count, FIRST + 1000 * number)
    stack.simulator.forget()
    uri = stack.put_input(csv_text(rows))
    return stack.start(stack.joke(uri, processing_mode="realtime", **fields), "limits"), rows


def test_concurrent_requests_stay_within_max_workers(stack, misbehaving):
    misbehaving(invoke_seconds=0.4)
    run, rows = start(stack, 0, 45, max_workers=4, max_records_per_job=15, requests_per_second=500)
    assert_answered_on_demand(run.wait(), rows, [15, 15, 15])
    assert stack.simulator.invocations()["max_in_flight"] == 4


def test_requests_stay_within_requests_per_second(stack, misbehaving):
    misbehaving(invoke_throttle_rate=0.3, seed=4)
    run, rows = start(stack, 1, 90, requests_per_second=20, max_workers=20, max_records_per_job=30)
    assert_answered_on_demand(run.wait(), rows, [30, 30, 30])
    found = stack.simulator.invocations()
    refused = sum(one["refused"] for one in found["invocations"])
    assert refused > 10, "repeated requests count as well"
    # A busy machine may hold the first ones up, but not for as long as it takes to send half of all. Without the limit all
    # would come within a second, and with one per file in a third of the time.
    assert found["seconds"] > (90 + refused) / 20 / 2


def test_throttling_and_faults_are_waited_out(stack, misbehaving):
    misbehaving(invoke_throttle_rate=0.25, invoke_5xx_rate=0.25, seed=9)
    run, rows = start(stack, 2, 40, requests_per_second=500, max_workers=40)
    assert_answered_on_demand(run.wait(), rows, [40])
    refused = [one["refused"] for one in stack.simulator.invocations()["invocations"]]
    assert max(refused) > 1 and min(refused) == 0


def test_retry_after_is_respected(stack, misbehaving):
    misbehaving(invoke_throttle_rate=1, retry_after_seconds=5)
    run, rows = start(stack, 3, 8, requests_per_second=500, max_workers=8)
    looks: list[datetime] = []

    def all_are_throttled() -> bool:
        looks.append(datetime.now(UTC))
        return len(stack.simulator.invocations()["invocations"]) == 8

    wait_for("all to be throttled", all_are_throttled)
    misbehaving(invoke_throttle_rate=0)
    run.wait()
    assert_answered_on_demand(run, rows, [8])
    assert {one["refused"] for one in stack.simulator.invocations()["invocations"]} == {1}
    # The last one was throttled after the look before the last, which did not see it.
    assert (run.end["stopDate"] - looks[-2]).total_seconds() >= 5
