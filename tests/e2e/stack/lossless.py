"""Properties of every run that ends, whatever went wrong and in whatever layout: no row lost, none duplicated, each with its
own answer.

They are derived from the requests to Bedrock and its answers (`evidence.py`) and from the input (`shapes.py`), never from the
output of the run.
"""

import re
from collections import Counter, defaultdict

import pyarrow as pa

from stack.checks import template_of
from stack.evidence import Content, Evidence
from stack.run import Run
from stack.shapes import Outcome, Shape, Stages, with_ids


class Lossy(AssertionError):
    """Outcomes that are not as they should be. `lost`: not in the output, or there without the answer that Bedrock wrote for
    them. `doubled`: more than once in the output, or answered by more than one job."""

    def __init__(self, lost: list, doubled: list):
        super().__init__(f"{len(lost)} lost: {lost[:10]}; {len(doubled)} doubled: {doubled[:10]}")
        self.lost = lost
        self.doubled = doubled


def assert_nothing_lost_or_doubled(shape: Shape, outcomes: list[Outcome], evidence: Evidence) -> None:
    wanted = Counter(shape.expected())
    found = Counter((outcome.row_id, outcome.prompt) for outcome in outcomes)
    lost: list = list((wanted - found).elements())
    doubled: list = list((found - wanted).elements())
    for content, same in by_content(outcomes).items():
        answers = len(evidence.answers.get(content, []))
        answered = sum(outcome.error is None for outcome in same)
        # Equal rows share one answer, unless each of them was sent.
        senders = len(same) if is_sent_each(evidence, content) else 1
        due = min(answers, senders) if senders > 1 else len(same) * bool(answers)
        lost += [content] * (due - answered)
        doubled += [content] * (answers - senders)
    if lost or doubled:
        raise Lossy(lost, doubled)


def by_content(outcomes: list[Outcome]) -> dict[Content, list[Outcome]]:
    found: dict[Content, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.content is not None:
            found[outcome.content].append(outcome)
    return found


def is_sent_each(evidence: Evidence, content: Content) -> bool:
    """If true, each of several equal rows has a record of its own."""
    return not evidence.shares_requests and evidence.contents[content] > 1


def assert_lossless(run: Run, rows: pa.Table | Shape, was_collected: bool = False) -> Evidence:
    """All promises for a run over these rows. A table: of topics, with one prompt of the repository for each row, equal rows
    among them. `was_collected`: the latest execution sent nothing, whatever was still to be sent."""
    shape = (
        rows
        if isinstance(rows, Shape)
        else Shape(with_ids(rows), {"of the run": template_of(run.plan["request"]["prompt_config"]["prompt_id"])})
    )
    assert run.output["status"] in ("completed", "completed_with_errors")
    evidence = Evidence(run, shape.shares_requests)
    outcomes = list(shape.outcomes(run.rows))
    assert_nothing_lost_or_doubled(shape, outcomes, evidence)
    assert_columns(run, shape)
    assert_one_job_each(evidence, was_collected)
    assert_own_answers(shape, outcomes, evidence, was_collected)
    if not was_collected and not shape.shares_requests:
        assert_reasons(run, shape, outcomes, evidence)
    assert_sums(run, outcomes, evidence)
    return evidence


def assert_columns(run: Run, shape: Shape) -> None:
    """Every row with its own cells, as often as its layout says."""
    rows = run.rows
    if not shape.is_stage:
        assert set(rows.column_names) == {*shape.rows.column_names, *shape.added_columns}
    own = {row["record_id"]: row for row in shape.rows.to_pylist()}
    for row in rows.to_pylist():
        cells = own[row["record_id"]]
        assert {name: row[name] for name in cells} == cells


def assert_one_job_each(evidence: Evidence, was_collected: bool) -> None:
    """The jobs are those of the manifests, however often and by whom they were submitted."""
    wanted = [job.item["name"] for job in evidence.jobs if job.is_batch]
    created = [job["jobName"] for job in evidence.created]
    assert len(set(wanted)) == len(wanted)
    assert len(set(created)) == len(created)
    assert set(created) <= set(wanted)
    assert was_collected or set(created) == set(wanted)
    assert len({job["clientRequestToken"] for job in evidence.created}) == len(created)
    assert len({job["inputS3Uri"] for job in evidence.created}) == len(created)
    for job in evidence.jobs:
        assert len(job.records) == job.item["records"], job.item["name"]


def assert_own_answers(shape: Shape, outcomes: list[Outcome], evidence: Evidence, was_collected: bool) -> None:
    """Each row was sent with its own cells, and shows an answer that was written for them. Rows that were collected need not
    know of jobs that a function of the stopped execution created meanwhile, and stopped."""
    wanted = {outcome.content for outcome in outcomes if outcome.content is not None}
    assert set(evidence.contents) <= wanted, "nothing else was sent"
    for content, same in by_content(outcomes).items():
        own = is_sent_each(evidence, content)
        assert not own or shape.sends_duplicates, f"equal rows were sent: {content}"
        answers = evidence.answers.get(content, [])
        for place, outcome in enumerate(sorted(same, key=lambda one: one.row_id)):
            if not own:
                known = evidence.attempts[content]
                least = known - evidence.late_attempts[content] if was_collected else known
                assert least <= outcome.attempts <= known, (outcome, evidence.senders(content))
                assert (outcome.error is None) == bool(answers), (outcome, evidence.senders(content))
            if outcome.error is not None:
                assert outcome.error and outcome.value is None, outcome
                continue
            fitting = [answer for answer in answers if answer.value == outcome.value]
            assert fitting, outcome
            if shape.shares_requests:
                continue
            assert outcome.stop_reason == fitting[0].stop_reason, outcome
            # A duplicate cost nothing.
            assert outcome.tokens == (fitting[0].tokens if own or place == 0 else (0, 0)), outcome
    for outcome in outcomes:
        if outcome.content is None:
            assert outcome.value is None and "failed in stage" in (outcome.error or ""), outcome


def assert_reasons(run: Run, shape: Shape, outcomes: list[Outcome], evidence: Evidence) -> None:
    """The rows without an answer are those that the model refuses, and of the others only those that failed in all rounds."""
    others = set()
    for content, same in by_content(outcomes).items():
        for outcome in same:
            if content in evidence.refused_for_good and not is_sent_each(evidence, content):
                assert outcome.error and re.search(r"\b400\b", outcome.error), outcome
            elif outcome.error and content not in evidence.refused_for_good:
                others.add(content)
    request = run.plan["request"]
    # Too few for a batch job, in batch mode.
    too_few = request["processing_mode"] == "batch" and len(others) < run.plan["model"]["limits"]["min_records_per_job"]
    assert not others or too_few or evidence.rounds >= request["max_retry_rounds"], sorted(map(str, others))[:20]


def assert_sums(run: Run, outcomes: list[Outcome], evidence: Evidence) -> None:
    """The summary agrees with the rows."""
    summary = run.summary
    answered = sum(outcome.error is None for outcome in outcomes)
    assert summary["records_in"] == len(outcomes) == summary["answered"] + summary["failed"]
    assert (summary["answered"], summary["skipped"]) == (answered, 0)
    assert sum(summary["failed_reasons"].values()) == summary["failed"]
    assert sum(summary["failed_codes"].values()) == summary["failed"]
    assert summary["retried"] == sum(outcome.attempts > 1 for outcome in outcomes)
    assert summary["rounds"] == evidence.rounds + 1
    assert summary["jobs"] == len(evidence.created)
    lanes = summary["lanes"].values()
    assert sum(lane["answers"] for lane in lanes) == len(evidence.answered_records)
    for position, tokens in enumerate(("input_tokens", "output_tokens")):
        total = sum(lane[tokens] for lane in lanes)
        assert summary[tokens] == total
        if not evidence.shares_requests:
            assert total == sum(outcome.tokens[position] for outcome in outcomes)
    assert run.json("summary.json") == run.output


def assert_lossless_stages(stages: Stages, runs: list[Run]) -> None:
    """All promises for each stage of a pipeline."""
    for run, shape in zip(runs, stages.shapes([run.rows for run in runs]), strict=True):
        assert_lossless(run, shape)
