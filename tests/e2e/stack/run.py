"""One run, with its files, jobs and items."""

import csv
import io
import json
from functools import cached_property
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
from boto3.dynamodb.conditions import Key

from stack.contract import PREFIXES, RUN_INDEX
from stack.job_attempts import JobAttempt, answers_of, attempts_of, json_lines
from stack.waiting import wait_for


class Run:
    """A run as one execution left it; `run_id`: the run that the execution resumes or collects, if not its own."""

    def __init__(self, stack, name: str, run_id: str | None = None):
        self.stack = stack
        self.name = name
        self.run_id = run_id or name
        self.arn = f"{stack.state_machine.replace(':stateMachine:', ':execution:')}:{name}"

    def __repr__(self) -> str:
        return f"<run {self.name}>"

    # --- the execution ---

    def again(self) -> "Run":
        """The same run, without cached values."""
        return Run(self.stack, self.name, self.run_id)

    def describe(self) -> dict:
        return self.stack.step_functions.describe_execution(executionArn=self.arn)

    @property
    def status(self) -> str:
        return self.describe()["status"]

    def wait(self) -> Self:
        try:
            wait_for(f"the end of {self.name}", lambda: self.status != "RUNNING")
        except AssertionError as error:
            jobs = [(job["jobName"], job["status"]) for job in self.jobs]
            raise AssertionError(f"{error}; its jobs: {jobs}; logs: .local/e2e/logs/ministack.log") from None
        return self

    @cached_property
    def end(self) -> dict:
        """The end of the execution; the run must be over."""
        described = self.describe()
        assert described["status"] != "RUNNING", f"{self.name} still runs"
        return described

    @property
    def output(self) -> dict:
        """The execution's output; a run that did not succeed fails the test with its reason."""
        end = self.end
        assert end["status"] == "SUCCEEDED", f"{self.name} {end['status']}: {end.get('error')}: {end.get('cause')}"
        return json.loads(end["output"])

    @property
    def summary(self) -> dict:
        return self.output["summary"]

    def failure(self) -> tuple[str, str]:
        """Error and cause of a run that must have failed."""
        assert self.end["status"] == "FAILED", f"{self.name} {self.end['status']}: {self.end.get('output')}"
        return self.end["error"], self.end["cause"]

    def stop(self) -> "Run":
        """Stops the execution, as a user does, and waits until it is over."""
        self.stack.step_functions.stop_execution(executionArn=self.arn)
        return self.wait()

    def behave(self, **changes) -> None:
        """Changes the simulator's behaviour towards the jobs of this run that are created from now on."""
        self.stack.simulator.behave(f"/{self.run_id}/", **changes)

    def behave_well(self) -> None:
        self.stack.simulator.behave_well(f"/{self.run_id}/")

    # --- what it wrote ---

    def json(self, file: str):
        """`runs/<run>/<file>`."""
        return json.loads(self.stack.read(f"s3://{self.stack.bucket}/{PREFIXES['RUNS']}/{self.run_id}/{file}"))

    @cached_property
    def plan(self) -> dict:
        return self.json("plan.json")

    @cached_property
    def tables(self) -> list[pa.Table]:
        """The Parquet files of answered rows, in the order in which the output names them."""
        paths = (path for path in self.output["output_paths"] if path.endswith(".parquet"))
        return [pq.read_table(io.BytesIO(self.stack.read(path))) for path in paths]

    @cached_property
    def rows(self) -> pa.Table:
        """All answered rows."""
        return pa.concat_tables(self.tables)

    @cached_property
    def csv_rows(self) -> list[dict[str, str]]:
        """All answered rows of the CSV files, without their byte order marks."""
        paths = [path for path in self.output["output_paths"] if path.endswith(".csv")]
        texts = (io.StringIO(self.stack.read(path).decode("utf-8-sig"), newline="") for path in paths)
        return [row for text in texts for row in csv.DictReader(text, strict=True)]

    @cached_property
    def manifest(self) -> list[dict]:
        """All jobs of all manifests, pass by pass."""
        folder = f"{PREFIXES['RUNS']}/{self.run_id}/"
        keys = [key.removeprefix(folder) for key in self.stack.keys(f"{folder}passes/")]
        passes = sorted((key for key in keys if key.endswith("/jobs.json")), key=lambda key: int(key.split("/")[1]))
        return [job for file in ["jobs.json", *passes] for job in self.json(file)]

    @cached_property
    def job_attempts(self) -> list[JobAttempt]:
        """The requests, in order."""
        folder = f"{self.plan['request']['job_name_prefix']}/{self.run_id}/"
        sent = {key: json_lines(self._read(key)) for key in self.stack.keys(f"{PREFIXES['JOB_INPUTS']}/{folder}")}
        came = self.stack.keys(f"{PREFIXES['JOB_OUTPUTS']}/{folder}")
        manifest, items = self.manifest, {item["job_name"]: item for item in self.items}
        named = [job["input_uri"].removeprefix(f"s3://{self.stack.bucket}/") for job in manifest]
        assert sorted(named) == sorted(sent), "each file of records belongs to one job"
        found = []
        for job, key in zip(manifest, named, strict=True):
            item = items.get(job["name"], {})
            prefix = job["output_uri"].removeprefix(f"s3://{self.stack.bucket}/")
            prefix += "on-demand/" if job["lane"] == "on_demand" else ""
            files = sorted(file for file in came if file.startswith(prefix) and file.endswith(".jsonl.out"))
            records = sent[key]
            assert len({line["recordId"] for line in records}) == len(records) == job["records"], key
            found.append(
                JobAttempt(
                    index=job["index"],
                    name=job["name"],
                    round=job["round"],
                    lane=job["lane"],
                    was_taken="job_arn" in item if job["lane"] == "batch" else "status" in item,
                    model_inputs={line["recordId"]: line["modelInput"] for line in records},
                    lines=[line for file in files for line in json_lines(self._read(file))],
                )
            )
        return found

    @cached_property
    def records(self) -> dict[str, dict]:
        """The records to send: `modelInput` by `recordId`; a record that is not always the same fails the test."""
        records: dict[str, dict] = {}
        for attempt in self.job_attempts:
            for record_id, model_input in attempt.model_inputs.items():
                assert records.setdefault(record_id, model_input) == model_input, (
                    f"{record_id} was sent with another input"
                )
        return records

    @cached_property
    def attempts(self) -> dict[str, int]:
        """The number of times each record was sent."""
        return attempts_of(self.job_attempts)

    @cached_property
    def answers(self) -> dict[str, dict]:
        """The line that counts for each record, by `recordId`."""
        return answers_of(self.job_attempts)

    def _read(self, key: str) -> bytes:
        return self.stack.read(f"s3://{self.stack.bucket}/{key}")

    # --- its jobs ---

    @property
    def jobs(self) -> list[dict]:
        """Its batch jobs at the simulator, in order."""
        return self.stack.simulator.jobs_of(self.run_id)

    @property
    def items(self) -> list[dict]:
        """Its items in the job table, in order: its jobs, and its chunks that are counted."""
        of_run = Key(RUN_INDEX["partition_key"]).eq(self.run_id)
        found = self.stack.table.query(IndexName=RUN_INDEX["name"], KeyConditionExpression=of_run)
        return sorted(found["Items"], key=lambda item: item[RUN_INDEX["sort_key"]])
