#!/usr/bin/env python3
"""Runs a pipeline of three text stages on a separate local stack and prints, per stage, the time spent outside the model.
Called by `make bench-pipeline`.

The time outside is the duration of the stage's execution minus the time in which any of its jobs was at Bedrock, from
submission to end; the time of overlapping jobs counts once.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from runner import REPOSITORY, rows_csv

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
Interval = tuple[float, float]


def stages(source: str, records_per_job: int) -> list[dict]:
    usual = {"model_id": MODEL, "max_records_per_job": records_per_job}
    later = usual | {"use_previous_output": True}
    return [
        usual | {
            "stage_name": "classify", "job_name_prefix": "bench-classify", "input_s3_uri": source,
            "prompt_id": "sentiment_classifier",
        },
        later | {
            "stage_name": "reply", "job_name_prefix": "bench-reply", "prompt_id": "support_ticket_reply",
            "column_mappings": {"sentiment": "response", "customer_name": "customer"},
        },
        later | {
            "stage_name": "sort", "job_name_prefix": "bench-sort", "prompt_id": "classify_product",
            "column_mappings": {"product_name": "subject", "description": "summary"},
        },
    ]  # fmt: skip


@dataclass
class Stack:
    env: dict[str, str]

    def client(self, service: str) -> Any:
        endpoint = self.env["AWS_ENDPOINT_URL_BEDROCK" if service == "bedrock" else "AWS_ENDPOINT_URL"]
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=self.env["AWS_REGION"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}, s3={"addressing_style": "path"}),
        )

    def jobs(self) -> list[dict]:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{self.env['BEDROCK_SIMULATOR_URL']}/_simulator/jobs", timeout=30) as response:
            return json.loads(response.read())["jobs"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--records-per-job", type=int, default=25_000)
    options.add_argument("--keep", action="store_true", help="do not stop the stack afterwards")
    arguments = options.parse_args()

    work = REPOSITORY / ".local" / "bench"
    csv = rows_csv(work, arguments.rows)
    state = Path(os.environ.get("LOCAL_STATE_DIR") or work / "stack")
    quick = {"BEDROCK_SIMULATOR_STEP_MS": "20", "SFN_WAIT_SCALE": "0.01"}
    env = quick | dict(os.environ) | {"LOCAL_STATE_DIR": str(state)}
    subprocess.run([REPOSITORY / "local" / "up"], env=env, check=True)
    try:
        words = (shlex.split(line.removeprefix("export ")) for line in (state / "env").read_text().splitlines())
        measure(Stack(dict(word.split("=", 1) for (word,) in words)), csv, arguments)
    finally:
        if not arguments.keep:
            subprocess.run([REPOSITORY / "local" / "down"], env=env, check=True)


def measure(stack: Stack, csv: Path, arguments: argparse.Namespace) -> None:
    bucket, machine = stack.env["BUCKET_NAME"], stack.env["PIPELINE_STATE_MACHINE_ARN"]
    s3, step_functions = stack.client("s3"), stack.client("stepfunctions")
    s3.upload_file(str(csv), bucket, "inputs/bench/rows.csv")
    name = f"bench-{time.strftime('%Y%m%dT%H%M%S')}"
    config = {
        "pipeline_name": "bench",
        "stages": stages(f"s3://{bucket}/inputs/bench/rows.csv", arguments.records_per_job),
    }
    started = step_functions.start_execution(stateMachineArn=machine, name=name, input=json.dumps(config))
    whole = wait(step_functions, started["executionArn"])
    output = json.loads(whole["output"])
    frozen = json.loads(
        s3.get_object(Bucket=bucket, Key=f"runs/{output['pipeline_run_id']}/pipeline.json")["Body"].read()
    )

    print(
        f"\npipeline of {len(output['stages'])} stages, {arguments.rows:,} rows, {arguments.records_per_job:,} records per job"
    )
    print(
        f"  {'stage':12}{'sent':>9}{'answered':>10}{'wall s':>9}{'at Bedrock s':>14}"
        f"{'outside s':>11}{'before':>9}{'between':>9}{'after':>8}"
    )
    outside = 0.0
    bedrock = stack.client("bedrock")
    machine_of_runs = stack.env["STATE_MACHINE_ARN"].replace(":stateMachine:", ":execution:")
    for stage, done in zip(frozen["stages"], output["stages"], strict=True):
        execution = step_functions.describe_execution(executionArn=f"{machine_of_runs}:{stage['execution_name']}")
        begin, end = execution["startDate"].timestamp(), execution["stopDate"].timestamp()
        jobs = [job for job in stack.jobs() if f"/{stage['run_id']}/" in job["inputS3Uri"]]
        busy = union([interval(bedrock.get_model_invocation_job(jobIdentifier=job["jobArn"])) for job in jobs])
        at_bedrock = sum(to - since for since, to in busy)
        before, after = busy[0][0] - begin, end - busy[-1][1]
        between = busy[-1][1] - busy[0][0] - at_bedrock
        outside += end - begin - at_bedrock
        print(
            f"  {stage['stage_name']:12}{sum(map(records, jobs)):9,}{done['answered']:10,}{end - begin:9.2f}{at_bedrock:14.2f}"
            f"{end - begin - at_bedrock:11.2f}{before:9.2f}{between:9.2f}{after:8.2f}"
        )
        if done["answered"] != arguments.rows:
            sys.exit(f"stage {stage['stage_name']} answered {done['answered']:,} of {arguments.rows:,} rows")
    wall = whole["stopDate"].timestamp() - whole["startDate"].timestamp()
    print(f"  {'pipeline':12}{'':19}{wall:9.2f}; outside the model {outside:.2f} s in the stages")


def wait(step_functions: Any, arn: str) -> dict:
    while (execution := step_functions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.5)
    if execution["status"] != "SUCCEEDED":
        sys.exit(f"the pipeline ended as {execution['status']}: {execution.get('error')}: {execution.get('cause')}")
    return execution


def interval(job: dict) -> Interval:
    return seconds(job["submitTime"]), seconds(job["endTime"])


def records(job: dict) -> int:
    return job["counts"]["totalRecordCount"]


def seconds(time: datetime | str) -> float:
    time = datetime.fromisoformat(time) if isinstance(time, str) else time
    return time.timestamp()


def union(intervals: list[Interval]) -> list[Interval]:
    """Merges overlapping intervals."""
    merged: list[Interval] = []
    for since, to in sorted(intervals):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to))
        else:
            merged.append((since, to))
    return merged


if __name__ == "__main__":
    main()
