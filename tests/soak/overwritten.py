"""Uploads that are overwritten between their event and the moment when they are read: each version is processed once or
reported, and none is paid for twice."""

import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from stack.chaos import MAX_RUN_SECONDS, QUICK, Chaos, Hung, among_faults, wait_for_end
from stack.deployed import CLAUDE, Stack
from stack.inputs import csv_text, topic_table
from stack.lossless import Lossy, assert_lossless
from stack.run import Run
from stack.shapes import Shape, with_ids
from stack.uploads import executions_of
from stack.waiting import wait_for

# Over the 200 KiB that can be passed directly: the execution reads the upload itself, some time after its event.
LARGE = {f"value {number} {'x' * 200}": "of_this_version" for number in range(1000)}


@dataclass(frozen=True)
class Plan:
    rows: int
    pauses: tuple[float, ...]
    """Seconds between the versions."""
    is_large: bool

    def __str__(self) -> str:
        kind = "large" if self.is_large else "small"
        return f"{len(self.pauses) + 1} versions of a {kind} upload, {self.rows} rows, pauses {self.pauses}"


def plan(chance: random.Random) -> Plan:
    pauses = tuple(round(chance.choice([0, 0.1, 1, 4]) * chance.random(), 2) for _ in range(chance.randint(1, 3)))
    return Plan(chance.randint(110, 300), pauses, chance.random() < 0.7)


def play(stack: Stack, seed: int, plan: Plan, faults: dict) -> tuple[Chaos, list[Callable[[], object]]]:
    mark = uuid.uuid4().hex[:8]
    key = f"trigger/{mark}.json"
    table = topic_table(plan.rows)
    uri = stack.put_input(csv_text(table))
    shape = Shape(with_ids(table), {}, lambda row: ["of_this_version"])
    templates = [f"Version {number} of {mark}: {{topic}}" for number in range(len(plan.pauses) + 1)]
    with among_faults(stack, seed, faults) as chaos:
        for template, pause in zip(templates, (*plan.pauses, 0), strict=True):
            stack.put(key, json.dumps(upload(uri, template, plan.is_large)))
            time.sleep(pause)
        runs = settled(stack, mark, len(templates))
        chaos.run, chaos.runs = runs[0], runs
    succeeded = [run for run in runs if run.end["status"] == "SUCCEEDED"]
    for run in runs:
        if run not in succeeded:
            error, cause = run.failure()
            assert error == "InvalidInput" and "was overwritten before it was read" in cause, cause
    used = Counter(template_of(run) for run in succeeded)
    assert set(used) <= set(templates), used
    if templates[-1] not in used or max(used.values()) > 1:
        raise Lossy([*{templates[-1]} - used.keys()], [version for version, count in used.items() if count > 1])
    checks: list[Callable[[], object]] = []
    for run in succeeded:
        version = replace(shape, templates={"of_this_version": template_of(run)})
        checks.append(partial(assert_lossless, run, version))
    return chaos, checks


def template_of(run: Run) -> str:
    """The prompt that a run has frozen, which names the version that it was started for."""
    (prompt,) = run.plan["prompts"]["prompts"]
    return prompt["prompt"]["template"]


def upload(uri: str, template: str, is_large: bool) -> dict:
    return {
        "job_name_prefix": "overwritten",
        "model_id": CLAUDE,
        "s3_uri": uri,
        "max_retry_rounds": 2,
        **QUICK,
        "prompts": {"of_this_version": {"description": "d", "template": template}},
        "prompt_config": {"mode": "mapped", "column_name": "topic"},
        "category_to_prompt_mapping": {"default": "of_this_version", **(LARGE if is_large else {})},
    }


def settled(stack: Stack, mark: str, versions: int) -> list[Run]:
    """Waits until each version has an execution that has ended, or was reported, and returns the executions."""

    def look() -> list[str]:
        arns = executions_of(stack, mark)
        reported = len([email for email in stack.mailbox.all_about(mark) if email.subject.endswith("started nothing")])
        return arns if len(arns) + reported >= versions and arns else []

    try:
        arns = wait_for(
            f"an execution or a report for each of {versions} versions of {mark}", look, MAX_RUN_SECONDS, 0.5
        )
    except AssertionError as error:
        raise Hung(str(error)) from None
    runs = [Run(stack, arn.rsplit(":", 1)[1]) for arn in arns]
    for run in runs:
        wait_for_end(run)
    return runs
