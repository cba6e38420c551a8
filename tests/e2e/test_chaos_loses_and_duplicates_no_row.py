"""Bedrock misbehaves in every way, half of its events are lost, functions are killed, executions are stopped: all rows come
out."""

from functools import partial

import pytest

from stack.chaos import FAULTS, play, play_pipeline
from stack.inputs import csv_text, topic_table
from stack.lossless import assert_lossless, assert_lossless_stages
from stack.pictures import put_folder
from stack.shapes import expanded, repeated_topics, stages_of_pictures


@pytest.mark.parametrize("seed", [1, 2])
def test_chaos_loses_and_duplicates_no_row(stack, misbehaving, seed):
    table = topic_table(20_000)
    wanted = stack.joke(stack.put_input(csv_text(table)), max_records_per_job=1000, max_retry_rounds=2)
    chaos = play(stack, wanted, seed)
    print(chaos)
    evidence = assert_lossless(chaos.run, table)
    assert len(set(chaos.fates.values())) > 2, "jobs ended in several ways"
    assert evidence.refused_for_good and evidence.rounds > 0
    assert sum(chaos.killed.values()) >= 5, "functions were killed"
    assert chaos.refused["CreateModelInvocationJob ThrottlingException"]


def test_chaos_on_demand_loses_and_duplicates_no_row(stack, misbehaving):
    table = topic_table(1_500)
    # Slow enough for a function to be in the middle of it when the killer looks.
    fields = {"processing_mode": "realtime", "requests_per_second": 100, "max_records_per_job": 500}
    wanted = stack.joke(stack.put_input(csv_text(table)), max_retry_rounds=2, **fields)
    chaos = play(stack, wanted, seed=3, first_victims=("invoke",))
    print(chaos)
    assert_lossless(chaos.run, table)
    assert chaos.killed["invoke"], "functions were killed"
    assert chaos.refused["InvokeModel ThrottlingException"]


def test_chaos_with_stop_collect_and_resume_loses_and_duplicates_no_row(stack, misbehaving):
    """Two prompts for every second row, side by side, and equal rows."""
    shape, fields = expanded(repeated_topics(800, 40), is_wide=True)
    wanted = stack.joke(
        stack.put_input(shape.csv_input), max_records_per_job=200, max_retry_rounds=2, max_concurrent_jobs=2, **fields
    )
    check_collected = partial(assert_lossless, rows=shape, was_collected=True)
    # Jobs last long enough for the run to be stopped twice.
    faults = {**FAULTS, "job_seconds": 2}
    chaos = play(stack, wanted, 4, faults, ("collect", "resume"), on_collected=check_collected)
    print(chaos)
    assert_lossless(chaos.run, shape)
    assert chaos.interrupted["collect"] and chaos.interrupted["resume"], chaos.interrupted


def test_chaos_in_a_pipeline_loses_and_duplicates_no_row(stack, misbehaving):
    """Pictures, some of them twice, then two prompts side by side for what was seen, then one for both answers."""
    folder, images = put_folder(stack, 150, different=130)
    stages = stages_of_pictures(images, folder)
    # The first stage lasts long enough to be stopped.
    faults = {**FAULTS, "job_seconds": 2}
    chaos = play_pipeline(stack, stages.config, 5, faults, stops_after=1, once_begun=True, first_victims=("validate",))
    print(chaos)
    assert_lossless_stages(stages, chaos.runs)
    assert chaos.interrupted["resume"], "it was stopped, and its stages were continued"
