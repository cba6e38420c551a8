"""A run that sends requests for longer than a function may run: the next invocation continues where the previous one
ended, and no row is sent twice. On the local stack an invocation sends requests for 20 seconds."""

from stack.checks import assert_answered_on_demand
from stack.contract import function_name
from stack.inputs import csv_text, topic_table

COUNT = 30
FIRST = 700_000


def play(stack):
    uri = stack.put_input(csv_text(topic_table(COUNT, FIRST)))
    execution_input = stack.joke(uri, requests_per_second=1, processing_mode="realtime")
    return stack.play(execution_input, "long-on-demand")


def test_every_row_is_sent_once(played):
    assert_answered_on_demand(played, topic_table(COUNT, FIRST), [COUNT])


def test_it_took_several_invocations(stack, played):
    (job,) = played.manifest
    lines = stack.logged(function_name("invoke"), "job_invocation_ended", job["name"])
    assert len(lines) == 2
    assert [item["processed_records"] for item in played.items] == [COUNT]
