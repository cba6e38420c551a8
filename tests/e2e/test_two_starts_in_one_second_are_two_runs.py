"""`bedrock-batch start` twice within a second, as from a shell loop: two runs, each with its own name."""

import json
import subprocess

from stack.inputs import csv_text, topic_table
from stack.local import command_line_program

STARTS = 4


def test_each_start_is_a_run(stack, tmp_path):
    uri = stack.put_input(csv_text(topic_table(100)))
    (tmp_path / "run.json").write_text(json.dumps(stack.joke(uri, job_name_prefix="loop")))
    command = [command_line_program(), "start", tmp_path / "run.json"]
    names = []
    for _ in range(STARTS):
        done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        names.append(done.stdout.strip())
    assert len(set(names)) == STARTS
