"""Properties of every run that ends, whatever went wrong: no row lost, none duplicated, each with its own answer.

They are derived from the requests to Bedrock and from its answers, not from the output of the run.
"""

import json
import re
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from stack.checks import expected_text, text_of_input, text_of_output
from stack.contract import PREFIXES
from stack.run import Run

ADDED = {"response", "error", "stop_reason", "input_tokens", "output_tokens", "attempts", "model_id"}


@dataclass(frozen=True)
class Job:
    """A job of one of the run's manifests."""

    item: dict
    records: dict[str, dict]
    """`modelInput` by `recordId`, as it was sent."""
    lines: list[dict]
    """What was written for it."""

    @property
    def is_batch(self) -> bool:
        return self.item["lane"] == "batch"


class Evidence:
    """The requests and answers of a run, job by job, in the order of the requests."""

    def __init__(self, run: Run):
        self.run = run
        with ThreadPoolExecutor(8) as pool:
            self.jobs = list(pool.map(self._read, self._items()))

    def _items(self) -> list[dict]:
        passes = [
            key
            for key in self.run.stack.keys(f"{PREFIXES['RUNS']}/{self.run.name}/passes/")
            if key.endswith("/jobs.json")
        ]
        numbers = sorted(int(key.split("/")[-2]) for key in passes)
        files = ["jobs.json", *(f"passes/{number}/jobs.json" for number in numbers)]
        return [item for file in files for item in self.run.json(file)]

    def _read(self, item: dict) -> Job:
        stack, (bucket, folder) = self.run.stack, self._place(item["output_uri"])
        records = lines(stack.read(item["input_uri"]))
        answers = sorted(key for key in stack.keys(folder) if key.endswith(".jsonl.out"))
        written = [line for key in answers for line in lines(stack.read(f"s3://{bucket}/{key}"))]
        return Job(item, {record["recordId"]: record["modelInput"] for record in records}, written)

    @staticmethod
    def _place(uri: str) -> tuple[str, str]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bucket, key

    @cached_property
    def created(self) -> list[dict]:
        """The run's jobs at the simulator."""
        return self.run.jobs

    @cached_property
    def attempts(self) -> Counter[str]:
        """Number of jobs that Bedrock accepted, by record."""
        taken = {job["jobName"] for job in self.created}
        with_records = (job for job in self.jobs if not job.is_batch or job.item["name"] in taken)
        return Counter(record_id for job in with_records for record_id in job.records)

    @cached_property
    def answers(self) -> dict[str, list[tuple[str, dict]]]:
        """The jobs that answered each record, with their answers."""
        found: dict[str, dict[str, dict]] = defaultdict(dict)
        for job in self.jobs:
            for line in job.lines:
                if line.get("modelOutput") is not None:
                    found[line["recordId"]][job.item["name"]] = line["modelOutput"]
        return {record_id: list(by_job.items()) for record_id, by_job in found.items()}

    @cached_property
    def refused_for_good(self) -> set[str]:
        """Records with a permanent error."""
        errors = ((line["recordId"], line["error"]) for job in self.jobs for line in job.lines if line.get("error"))
        return {record_id for record_id, error in errors if error["errorCode"] == 400}

    @property
    def rounds(self) -> int:
        return max(job.item["round"] for job in self.jobs)


def lines(text: bytes) -> list[dict]:
    """Line feeds alone end a line of JSONL; JSON texts may hold other line separators."""
    return [json.loads(line) for line in text.split(b"\n") if line]


@dataclass(frozen=True)
class Tally:
    """Numbers of rows by outcome."""

    lost: list[str]
    """Not in the output, or there without the answer that Bedrock wrote for them."""
    doubled: list[str]
    """More than once in the output, or answered by more than one job."""


def tally(run: Run, evidence: Evidence, count: int) -> Tally:
    ids = Counter(run.rows["record_id"].to_pylist())
    answered = Counter(run.rows.filter(pc.is_null(run.rows["error"]))["record_id"].to_pylist())
    expected = {f"r{position:09}" for position in range(count)}
    without = {record_id for record_id in evidence.answers if not answered[record_id]}
    twice = {record_id for record_id, answers in evidence.answers.items() if len(answers) > 1}
    more = {record_id for record_id, times in ids.items() if times > 1}
    return Tally(sorted((expected - ids.keys()) | without), sorted(more | twice))


def assert_lossless(run: Run, table: pa.Table) -> Evidence:
    """All promises for a run over `table`, whose rows differ, except for repetitions of its first rows."""
    assert run.output["status"] in ("completed", "completed_with_errors")
    evidence = Evidence(run)
    found = tally(run, evidence, len(table))
    assert (found.lost, found.doubled) == ([], [])
    assert_columns(run, table)
    assert_one_job_each(evidence)
    assert_own_answers(run, evidence)
    assert_reasons(run, evidence)
    assert_sums(run, evidence)
    return evidence


def assert_columns(run: Run, table: pa.Table) -> None:
    """Every row once, with its own cells."""
    rows = run.rows.sort_by("record_id")
    assert set(rows.column_names) == {"record_id", *table.column_names, *ADDED}
    assert rows["record_id"].to_pylist() == [f"r{position:09}" for position in range(len(table))]
    for name in table.column_names:
        assert rows[name].to_pylist() == table[name].to_pylist(), name


def assert_one_job_each(evidence: Evidence) -> None:
    """The jobs are those of the manifests, however often and by whom they were submitted."""
    wanted = [job.item["name"] for job in evidence.jobs if job.is_batch]
    created = [job["jobName"] for job in evidence.created]
    assert len(set(wanted)) == len(wanted)
    assert sorted(created) == sorted(wanted)
    assert len({job["clientRequestToken"] for job in evidence.created}) == len(created)
    assert len({job["inputS3Uri"] for job in evidence.created}) == len(created)
    for job in evidence.jobs:
        assert len(job.records) == job.item["records"], job.item["name"]


def assert_own_answers(run: Run, evidence: Evidence) -> None:
    """Each row was sent with its own cells, and shows the one answer that was written for its record."""
    sent = {record_id: record for job in evidence.jobs for record_id, record in job.records.items()}
    first: dict[str, str] = {}
    for row in run.rows.sort_by("record_id").to_pylist():
        own = row["record_id"]
        text = expected_text(run, row) if own in sent else None
        # A duplicate was not sent: it has the answer of the first row.
        representative = first.setdefault(row["topic"], own)
        assert (own in sent) == (representative == own), row
        if text is not None:
            assert text_of_input(sent[own]) == text, row
            assert row["attempts"] == evidence.attempts[own], row
        answers = evidence.answers.get(representative)
        if answers is None:
            assert row["error"] and row["response"] is None, row
            continue
        text, stop_reason, read, written = text_of_output(answers[0][1])
        tokens = (read, written) if representative == own else (0, 0)
        assert (row["response"], row["error"], row["stop_reason"]) == (text, None, stop_reason), row
        assert (row["input_tokens"], row["output_tokens"]) == tokens, row


def assert_reasons(run: Run, evidence: Evidence) -> None:
    """The rows without an answer are those that the model refuses, and of the others only those that failed in all rounds."""
    unanswered = run.rows.filter(pc.is_valid(run.rows["error"])).to_pylist()
    first = {text: own for own, text in reversed(list(zip(*ids_and_topics(run), strict=True)))}
    rows = {first[row["topic"]]: row for row in unanswered}
    assert evidence.refused_for_good <= rows.keys()
    for record_id in evidence.refused_for_good:
        assert re.search(r"\b400\b", rows[record_id]["error"]), rows[record_id]
    others = rows.keys() - evidence.refused_for_good
    request = run.plan["request"]
    # Too few for a batch job, in batch mode.
    too_few = request["processing_mode"] == "batch" and len(others) < run.plan["model"]["limits"]["min_records_per_job"]
    assert not others or too_few or evidence.rounds >= request["max_retry_rounds"], sorted(others)


def ids_and_topics(run: Run) -> tuple[list[str], list[str]]:
    rows = run.rows.sort_by("record_id")
    return rows["record_id"].to_pylist(), rows["topic"].to_pylist()


def assert_sums(run: Run, evidence: Evidence) -> None:
    """The summary agrees with the rows."""
    summary, rows = run.summary, run.rows
    answered = rows["error"].null_count
    assert summary["records_in"] == len(rows) == summary["answered"] + summary["failed"]
    assert (summary["answered"], summary["skipped"]) == (answered, 0)
    assert sum(summary["failed_reasons"].values()) == summary["failed"]
    assert sum(summary["failed_codes"].values()) == summary["failed"]
    assert summary["retried"] == pc.sum(pc.greater(rows["attempts"], 1)).as_py()
    assert summary["rounds"] == evidence.rounds + 1
    assert summary["jobs"] == len(evidence.created)
    lanes = summary["lanes"].values()
    assert sum(lane["answers"] for lane in lanes) == len(evidence.answers)
    for tokens in ("input_tokens", "output_tokens"):
        total = pc.sum(rows[tokens]).as_py() or 0
        assert summary[tokens] == total == sum(lane[tokens] for lane in lanes)
    assert run.json("summary.json") == run.output
