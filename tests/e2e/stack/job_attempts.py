"""The requests of a run, job by job, and their answers, read from the records and the output lines in S3."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class JobAttempt:
    """One job: a Bedrock batch job, or a file of records that were sent on demand."""

    index: int
    name: str
    round: int
    lane: str
    # False if Bedrock refused the job, so that nothing was sent.
    was_taken: bool
    # By record id, in the order of the file.
    model_inputs: dict[str, dict]
    lines: list[dict] = field(repr=False)

    def __len__(self) -> int:
        return len(self.model_inputs)

    @property
    def line_of(self) -> dict[str, dict]:
        """The line of each record, by its id: an answer rather than an error, and of two answers the first."""
        found: dict[str, dict] = {}
        for line in self.lines:
            known = found.get(line["recordId"])
            if known is None or ("error" in known and "error" not in line):
                found[line["recordId"]] = line
        return found


def json_lines(text: bytes) -> list[dict]:
    """Line feeds alone end a line of JSONL; JSON texts may hold other line separators."""
    return [json.loads(line) for line in text.split(b"\n") if line]


def is_answer(line: dict) -> bool:
    """If true, a row can show something of it."""
    output = line.get("modelOutput")
    if not isinstance(output, dict):
        return False
    blocks = output.get("content") or output.get("output", {}).get("message", {}).get("content") or []
    return "embedding" in output or any(isinstance(block, dict) and "text" in block for block in blocks)


def attempts_of(attempts: list[JobAttempt]) -> dict[str, int]:
    """Number of jobs that Bedrock accepted, by record id."""
    counts: dict[str, int] = {}
    for attempt in attempts:
        for record_id in attempt.model_inputs:
            counts[record_id] = counts.get(record_id, 0) + attempt.was_taken
    return counts


def answers_of(attempts: list[JobAttempt]) -> dict[str, dict]:
    """The line that counts, by record id: the answer, or the error of the latest attempt. A record whose latest attempt
    brought nothing has none."""
    answers: dict[str, dict] = {}
    for attempt in attempts:
        lines = attempt.line_of
        for record_id in attempt.model_inputs if attempt.was_taken else ():
            if is_answer(answers.get(record_id, {})):
                raise AssertionError(f"{record_id} was sent again (job {attempt.index}) although it had its answer")
            answers.pop(record_id, None)
            if record_id in lines:
                answers[record_id] = lines[record_id]
    return answers
