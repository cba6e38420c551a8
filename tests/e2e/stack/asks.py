"""The requests of a run, job by job, and their answers: read from the records that it sent and the lines that came, both as
they lie in S3."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ask:
    """One job: a Bedrock batch job, or a file of records that were asked on demand."""

    index: int
    name: str
    round: int
    lane: str
    # Whether Bedrock took it: a job that was refused has asked nobody.
    asked: bool
    # By record id, in the order of the file.
    model_inputs: dict[str, dict]
    lines: list[dict] = field(repr=False)

    def __len__(self) -> int:
        return len(self.model_inputs)

    @property
    def line_of(self) -> dict[str, dict]:
        """By record id, what came back: an answer rather than an error, and of two answers the first."""
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


def attempts_of(asks: list[Ask]) -> dict[str, int]:
    """By record id, how often it was sent in a job that Bedrock took."""
    attempts: dict[str, int] = {}
    for ask in asks:
        for record_id in ask.model_inputs:
            attempts[record_id] = attempts.get(record_id, 0) + ask.asked
    return attempts


def answers_of(asks: list[Ask]) -> dict[str, dict]:
    """By record id, the line that counts: the answer, or the error of the latest attempt. A record whose latest attempt
    brought nothing has none."""
    answers: dict[str, dict] = {}
    for ask in asks:
        lines = ask.line_of
        for record_id in ask.model_inputs if ask.asked else ():
            if is_answer(answers.get(record_id, {})):
                raise AssertionError(f"{record_id} was asked again (job {ask.index}) although it had its answer")
            answers.pop(record_id, None)
            if record_id in lines:
                answers[record_id] = lines[record_id]
    return answers
