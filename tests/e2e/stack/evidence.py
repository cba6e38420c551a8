"""The requests and answers of a run, read from its manifests, the records that it wrote for Bedrock and the lines that came
back: never from what the run says of itself."""

import base64
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pyarrow as pa

from stack.checks import text_of_output
from stack.job_attempts import json_lines
from stack.run import Run

# The rows of a request of several rows.
ROWS = re.compile(r'<row id="(\d+)">(.*?)</row>', re.DOTALL)


@dataclass(frozen=True)
class Content:
    """What the model is shown of one row: rows with the same content are duplicates."""

    text: str
    image: str | None = None
    """Digest of its bytes."""


@dataclass(frozen=True)
class Answer:
    value: object
    """Text, list of numbers, or the element of a list."""
    stop_reason: str | None
    tokens: tuple[int, int]


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

    def __init__(self, run: Run, shares_requests: bool = False):
        self.run = run
        self.shares_requests = shares_requests
        with ThreadPoolExecutor(8) as pool:
            self.jobs = list(pool.map(self._read, run.manifest))

    def _read(self, item: dict) -> Job:
        stack = self.run.stack
        bucket, _, folder = item["output_uri"].removeprefix("s3://").partition("/")
        records = json_lines(stack.read(item["input_uri"]))
        keys = sorted(key for key in stack.keys(folder) if key.endswith(".jsonl.out"))
        written = [line for key in keys for line in json_lines(stack.read(f"s3://{bucket}/{key}"))]
        return Job(item, {record["recordId"]: record["modelInput"] for record in records}, written)

    @cached_property
    def created(self) -> list[dict]:
        """The run's jobs at the simulator."""
        return self.run.jobs

    @cached_property
    def sent(self) -> list[Job]:
        """Jobs that Bedrock accepted, and files of records that were sent on demand."""
        accepted = {job["jobName"] for job in self.created}
        # Every file has an item in the table as soon as it is being sent.
        begun = {item["job_name"] for item in self.run.items if "status" in item}
        return [job for job in self.jobs if job.item["name"] in (accepted if job.is_batch else begun)]

    @cached_property
    def attempts(self) -> Counter[Content]:
        """Number of jobs that each content was sent in."""
        return self._times_sent(self.sent)

    @cached_property
    def late_attempts(self) -> Counter[Content]:
        """Number of jobs that each content was sent in after the latest execution had taken the job's item over."""
        taken_over = {
            item["job_name"]: instant(item["continued_at"]) for item in self.run.items if "continued_at" in item
        }
        late = {
            job["jobName"]
            for job in self.created
            if job["jobName"] in taken_over and instant(job["submitTime"]) > taken_over[job["jobName"]]
        }
        return self._times_sent(job for job in self.sent if job.item["name"] in late)

    def _times_sent(self, jobs: Iterable[Job]) -> Counter[Content]:
        return Counter(part for job in jobs for record in job.records.values() for part in self.parts(record))

    def senders(self, content: Content) -> list[dict]:
        """The items of the jobs that a content was sent in, for messages."""
        names = {
            job.item["name"]
            for job in self.sent
            if any(content in self.parts(record) for record in job.records.values())
        }
        return [item for item in self.run.items if item["job_name"] in names]

    @cached_property
    def contents(self) -> Counter[Content]:
        """Number of different records that show a content, in whatever number of jobs."""
        found = {
            (record_id, part) for job in self.jobs for record_id in job.records for part in self.of(job, record_id)
        }
        return Counter(part for _, part in found)

    def of(self, job: Job, record_id: str) -> list[Content]:
        return self.parts(job.records[record_id])

    @cached_property
    def answered_records(self) -> list[tuple[str, str]]:
        """The job and the record of each answer."""
        return [(job.item["name"], record_id) for job in self.jobs for record_id in outputs_of(job)]

    @cached_property
    def answers(self) -> dict[Content, list[Answer]]:
        """The answers to each content, of all records and jobs."""
        found: dict[Content, list[Answer]] = defaultdict(list)
        for job in self.jobs:
            for record_id, output in outputs_of(job).items():
                parts = self.of(job, record_id)
                for part, answer in zip(parts, self.split(output, len(parts)), strict=True):
                    if answer is not None:
                        found[part].append(answer)
        return found

    @cached_property
    def refused_for_good(self) -> set[Content]:
        """Contents whose record had a permanent error. A request of several rows has them sent one by one."""
        errors = ((job, line["recordId"]) for job in self.jobs for line in job.lines if code_of(line) == 400)
        refused = (self.of(job, record_id) for job, record_id in errors)
        return {parts[0] for parts in refused if len(parts) == 1}

    @cached_property
    def rounds(self) -> int:
        """The number of the last round in which anything was sent."""
        return max((job.item["round"] for job in self.sent), default=0)

    def parts(self, model_input: dict) -> list[Content]:
        """What a record shows of each of its rows."""
        if "inputText" in model_input:
            return [Content(model_input["inputText"])]
        blocks = model_input["messages"][0]["content"]
        (text,) = (block["text"] for block in blocks if "text" in block)
        if self.shares_requests:
            return [Content(shown) for _, shown in ROWS.findall(text)]
        images = [block["source"]["data"] for block in blocks if block.get("type") == "image"]
        return [Content(text, digest(base64.b64decode(images[0])) if images else None)]

    def split(self, output: dict, rows: int) -> list[Answer | None]:
        """The answer to each row of a request, or None if there is none that could be taken."""
        if "embedding" in output:
            numbers = pa.array(output["embedding"], pa.float32()).to_pylist()
            return [Answer(numbers, None, (output["inputTextTokenCount"], 0))]
        text, stop_reason, read, written = text_of_output(output)
        if not self.shares_requests:
            return [Answer(text, stop_reason, (read, written))]
        by_id: dict[str, list[dict]] = defaultdict(list)
        for element in json.loads(text):
            by_id[str(element.pop("id"))].append(element)
        listed = (by_id[str(number)] for number in range(1, rows + 1))
        return [Answer(found[0], stop_reason, (0, 0)) if len(found) == 1 else None for found in listed]


def outputs_of(job: Job) -> dict[str, dict]:
    """`modelOutput` by record."""
    return {line["recordId"]: line["modelOutput"] for line in job.lines if line.get("modelOutput") is not None}


def code_of(line: dict) -> int | None:
    return (line.get("error") or {}).get("errorCode")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
