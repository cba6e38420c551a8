"""Execution names may contain characters that Bedrock refuses in S3 addresses. Files are then stored under a cleaned name,
which is different even for names that are cleaned alike."""

import re
import uuid

from stack.inputs import csv_text, topic_table

COUNT = 100


def play(stack):
    execution_input = stack.joke(stack.put_input(csv_text(topic_table(COUNT))))
    end = uuid.uuid4().hex[:8]
    names = (f"orders+of=2026@home.{end}", f"orders=of+2026@home.{end}")
    return [run.wait() for run in [stack.start_named(execution_input, name) for name in names]]


def test_every_row_is_answered(played):
    for run in played:
        assert run.output["status"] == "completed"
        assert run.rows["topic"].to_pylist() == topic_table(COUNT)["topic"].to_pylist()
        assert run.rows["error"].null_count == COUNT


def test_files_lie_under_names_that_bedrock_accepts(played):
    first, second = (run.output["run_id"] for run in played)
    assert first != second
    for run_id in (first, second):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run_id)
        assert run_id.startswith("orders-of-2026-home.")
