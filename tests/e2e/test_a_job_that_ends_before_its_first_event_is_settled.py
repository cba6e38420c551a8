"""A job that has ended when its creation is answered is settled by submit itself, without a single event."""

from stack.checks import assert_whole
from stack.inputs import csv_text, topic_table

COUNT = 240


def run_with(stack):
    return stack.play(stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=120), "quick")


def test_events_that_come_after_the_end(stack, misbehaving):
    misbehaving(finish_before_first_event=True)
    assert_whole(run_with(stack), topic_table(COUNT), [120, 120])


def test_no_event_at_all(stack, misbehaving):
    misbehaving(finish_before_first_event=True, event_lost_rate=1)
    assert_whole(run_with(stack), topic_table(COUNT), [120, 120])
