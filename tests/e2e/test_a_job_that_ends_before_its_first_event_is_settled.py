"""A job that has ended when its creation is answered is settled by submit itself, without a single event."""

from stack.checks import assert_whole
from stack.inputs import csv_text, topic_table

COUNT = 240


def play(stack):
    execution_input = stack.joke(stack.put_input(csv_text(topic_table(COUNT))), max_records_per_job=120)
    return {
        "late events": stack.play(execution_input, "quick", finish_before_first_event=True),
        "no events": stack.play(execution_input, "quick", finish_before_first_event=True, event_lost_rate=1),
    }


def test_events_that_come_after_the_end(played):
    assert_whole(played["late events"], topic_table(COUNT), [120, 120])


def test_no_event_at_all(played):
    assert_whole(played["no events"], topic_table(COUNT), [120, 120])
