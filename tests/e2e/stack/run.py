"""One run, and all that it has left behind."""

import csv
import io
import json
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq
from boto3.dynamodb.conditions import Key

from stack.waiting import wait_for


class Run:
    def __init__(self, stack, name: str):
        self.stack = stack
        self.name = name
        self.arn = f"{stack.state_machine.replace(':stateMachine:', ':execution:')}:{name}"

    def __repr__(self) -> str:
        return f"<run {self.name}>"

    # --- the execution ---

    def describe(self) -> dict:
        return self.stack.step_functions.describe_execution(executionArn=self.arn)

    @property
    def status(self) -> str:
        return self.describe()["status"]

    def wait(self) -> "Run":
        try:
            wait_for(f"the end of {self.name}", lambda: self.status != "RUNNING")
        except AssertionError as error:
            jobs = [(job["jobName"], job["status"]) for job in self.jobs]
            raise AssertionError(f"{error}; its jobs: {jobs}; logs: .local/e2e/logs/ministack.log") from None
        return self

    @cached_property
    def end(self) -> dict:
        """How the execution ended; the run must be over."""
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

    # --- what it wrote ---

    def json(self, file: str):
        """`runs/<run>/<file>`."""
        return json.loads(self.stack.read(f"s3://{self.stack.bucket}/runs/{self.name}/{file}"))

    @property
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
        """All answered rows of the CSV files."""
        paths = [path for path in self.output["output_paths"] if path.endswith(".csv")]
        texts = (io.StringIO(self.stack.read(path).decode(), newline="") for path in paths)
        return [row for text in texts for row in csv.DictReader(text, strict=True)]

    @cached_property
    def records(self) -> dict[str, dict]:
        """What was sent to Bedrock: `modelInput` by `recordId`; a record that was sent twice fails the test."""
        records: dict[str, dict] = {}
        for line in self._lines("batch_inputs_json", ".jsonl"):
            assert line["recordId"] not in records, f"{line['recordId']} was sent twice"
            records[line["recordId"]] = line["modelInput"]
        return records

    @cached_property
    def answers(self) -> dict[str, dict]:
        """What Bedrock wrote: lines by `recordId`."""
        return {line["recordId"]: line for line in self._lines("batch_outputs_json", ".jsonl.out")}

    def _lines(self, folder: str, ending: str) -> list[dict]:
        prefix = self.plan["request"]["job_name_prefix"]
        keys = (key for key in self.stack.keys(f"{folder}/{prefix}/{self.name}/") if key.endswith(ending))
        texts = (self.stack.read(f"s3://{self.stack.bucket}/{key}") for key in keys)
        # Line feeds alone end a line of JSONL; JSON texts may hold other line separators.
        return [json.loads(line) for text in texts for line in text.split(b"\n") if line]

    # --- its jobs ---

    @property
    def jobs(self) -> list[dict]:
        """Its jobs at the simulator."""
        return self.stack.simulator.jobs_of(self.name)

    @property
    def items(self) -> list[dict]:
        """Its items in the job table, in order."""
        found = self.stack.table.query(IndexName="run-index", KeyConditionExpression=Key("run_id").eq(self.name))
        return sorted(found["Items"], key=lambda item: item["job_index"])
