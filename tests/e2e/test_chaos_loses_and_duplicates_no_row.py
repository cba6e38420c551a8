"""Bedrock misbehaves in every way, half of its events are lost, functions are killed: all rows come out."""

import pytest

from stack.chaos import play
from stack.inputs import topic_table
from stack.lossless import assert_lossless


@pytest.mark.parametrize("seed", [1, 2])
def test_chaos_loses_and_duplicates_no_row(stack, misbehaving, seed):
    table = topic_table(20_000)
    chaos = play(stack, table, seed, max_records_per_job=1000, max_retry_rounds=2)
    print(chaos)
    evidence = assert_lossless(chaos.run, table)
    assert len(set(chaos.fates.values())) > 2, "jobs ended in several ways"
    assert evidence.refused_for_good and evidence.rounds > 0
    assert sum(chaos.killed.values()) >= 5, "functions were killed"
    assert chaos.refused["CreateModelInvocationJob ThrottlingException"]


def test_chaos_on_demand_loses_and_duplicates_no_row(stack, misbehaving):
    table = topic_table(1_500)
    # Slow enough for a function to be in the middle of it when the killer looks.
    chaos = play(
        stack,
        table,
        seed=3,
        first_victims=("invoke",),
        processing_mode="realtime",
        requests_per_second=100,
        max_records_per_job=500,
        max_retry_rounds=2,
    )
    print(chaos)
    assert_lossless(chaos.run, table)
    assert chaos.killed["invoke"], "functions were killed"
    assert chaos.refused["InvokeModel ThrottlingException"]
