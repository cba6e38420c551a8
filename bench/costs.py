#!/usr/bin/env python3
"""Computes what a run costs besides its models: counts what AWS bills in a run on a local stack of its own, and multiplies it
by the list prices in prices.json. Called by `make costs`, which builds the functions in release mode.

Counted are transitions, invocations, requests, and the processor time of the functions. Lambda bills the time that passes,
which is estimated: the processor time by the share of a processor that the memory of the function gives, and the seconds that
its requests take on AWS, as assumed in prices.json. Requests of one invocation are taken to follow each other, so the
estimate is high rather than low. Not counted: storage, logs, and what Bedrock reads and writes itself.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import MODEL, Stack, wait
from runner import HERE, REPOSITORY, rows_csv

STATE_MACHINE = "state machine "
# Reads are billed like lists, or less; all other requests to S3 like writes.
S3_READS = {"GetObject", "HeadObject"}
DYNAMODB_READS = {"GetItem", "Query", "BatchGetItem"}


@dataclass
class Usage:
    """What AWS bills, by the name of its price."""

    units: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Billed seconds by function, as estimated."""

    def add_request(self, caller: str, operation: str, number: float, assumed: dict) -> None:
        service, _, name = operation.partition(":")
        if service == "s3":
            self.units["S3 read" if name in S3_READS else "S3 write or list"] += number
        elif service == "dynamodb":
            kind = "read" if name in DYNAMODB_READS else "write"
            self.units[f"DynamoDB {kind} unit"] += number * assumed[f"{kind} units per DynamoDB {kind}"]
        elif service == "sns":
            self.units["SNS request"] += number
        elif service == "secretsmanager":
            self.units["Secrets Manager request"] += number
        if not caller.startswith(STATE_MACHINE):
            self.seconds[caller] += number * assumed["seconds per request"][service.partition("-")[0]]


def usage_of(counts: dict[str, float], memory_mb: dict[str, int], assumed: dict) -> Usage:
    """Returns what a run is billed for, from the counts of the local stack."""
    usage = Usage()
    for what, number in counts.items():
        kind, _, name = what.partition(" ")
        caller, _, operation = what.rpartition(" ")
        if what == "transitions":
            usage.units["state transition"] += number
        elif kind == "invocations":
            usage.units["Lambda request"] += number
        elif kind == "cpu_seconds":
            # A function has the share of a processor that its memory gives, and one processor at most for what is sequential.
            usage.seconds[name] += number / min(1, memory_mb[name] / assumed["MB of memory per processor"])
        else:
            usage.add_request(caller, operation, number, assumed)
    usage.units["Lambda GB-second"] = sum(seconds * memory_mb[name] / 1024 for name, seconds in usage.seconds.items())
    return usage


SERVICES = {
    "Step Functions": ("state transition",),
    "Lambda": ("Lambda request", "Lambda GB-second"),
    "DynamoDB": ("DynamoDB write unit", "DynamoDB read unit"),
    "S3": ("S3 write or list", "S3 read"),
    "SNS": ("SNS request",),
    "Secrets Manager": ("Secrets Manager request",),
}


def table(usage: Usage, prices: dict[str, float]) -> list[str]:
    """Returns the lines of a table in Markdown."""
    lines = ["| service | billed | USD |", "| --- | --- | --- |"]
    total = 0.0
    for service, names in SERVICES.items():
        cost = sum(usage.units[name] * prices[name] / 1e6 for name in names)
        total += cost
        billed = ", ".join(f"{usage.units[name]:,.0f} {plural(name, service)}" for name in names)
        lines.append(f"| {service} | {billed} | {cost:.3f} |")
    return [*lines, f"| together | | {total:.2f} |"]


def plural(name: str, service: str) -> str:
    text = name.removeprefix(f"{service} ")
    return text.replace("write or list", "writes and lists") if text.startswith("write or") else f"{text}s"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--jobs", type=int, default=1000)
    options.add_argument("--rows-per-job", type=int, default=1000)
    options.add_argument("--counts", type=Path, help="file of an earlier run's counts, instead of a run")
    arguments = options.parse_args()
    prices = json.loads((HERE / "prices.json").read_text())
    work = REPOSITORY / ".local" / "costs"
    if arguments.counts:
        measured = json.loads(arguments.counts.read_text())
    else:
        work.mkdir(parents=True, exist_ok=True)
        measured = play(work, arguments.jobs, arguments.rows_per_job)
        (work / "counts.json").write_text(json.dumps(measured, indent=1))
    usage = usage_of(measured["counts"], measured["memory_mb"], prices["assumed"])
    print(
        f"{measured['rows']:,} rows in {measured['jobs']:,} jobs, list prices of {prices['region']} of {prices['read']}:\n"
    )
    print("\n".join(table(usage, prices["usd_per_million"])))
    print("\nLambda by function, estimated GB-seconds:")
    for name, seconds in sorted(usage.seconds.items(), key=lambda item: -item[1] * measured["memory_mb"][item[0]]):
        memory = measured["memory_mb"][name]
        cpu = measured["counts"].get(f"cpu_seconds {name}", 0)
        print(f"  {name:28}{memory:6} MB{cpu:9.1f} CPU s{seconds:10.1f} s{seconds * memory / 1024:10.1f} GB-s")


def play(work: Path, jobs: int, rows_per_job: int) -> dict:
    """Plays a run on a local stack of its own. Returns the counts and what they belong to."""
    rows = jobs * rows_per_job
    csv = rows_csv(work, rows)
    quick = {"BEDROCK_SIMULATOR_STEP_MS": "20", "SFN_WAIT_SCALE": "0.01", "RECORD_REQUESTS": "1"}
    env = quick | dict(os.environ) | {"LOCAL_STATE_DIR": str(work / "stack")}
    subprocess.run([REPOSITORY / "local" / "up"], env=env, check=True, stdout=sys.stderr)
    try:
        words = (
            shlex.split(line.removeprefix("export ")) for line in (work / "stack" / "env").read_text().splitlines()
        )
        stack = Stack(dict(word.split("=", 1) for (word,) in words))
        bucket = stack.env["BUCKET_NAME"]
        stack.client("s3").upload_file(str(csv), bucket, "inputs/costs/rows.csv")
        before = counts(stack)
        step_functions = stack.client("stepfunctions")
        execution_input = {
            "s3_uri": f"s3://{bucket}/inputs/costs/rows.csv",
            "job_name_prefix": "costs",
            "model_id": MODEL,
            "prompt_id": "sentiment_classifier",
            "max_records_per_job": rows_per_job,
        }
        started = step_functions.start_execution(
            stateMachineArn=stack.env["STATE_MACHINE_ARN"],
            name=f"costs-{time.strftime('%Y%m%dT%H%M%S')}",
            input=json.dumps(execution_input),
        )
        wait(step_functions, started["executionArn"])
        # The email is sent after the end.
        time.sleep(5)
        after = counts(stack)
        functions = [
            function
            for page in stack.client("lambda").get_paginator("list_functions").paginate()
            for function in page["Functions"]
        ]
    finally:
        subprocess.run([REPOSITORY / "local" / "down"], env=env, check=True, stdout=sys.stderr)
    changes = {what: number - before.get(what, 0) for what, number in after.items()}
    return {
        "rows": rows,
        "jobs": jobs,
        "counts": {what: number for what, number in changes.items() if number},
        "memory_mb": {function["FunctionName"]: function["MemorySize"] for function in functions},
    }


def counts(stack: Stack) -> dict[str, float]:
    with urllib.request.urlopen(f"{stack.env['AWS_ENDPOINT_URL']}/_local/record", timeout=60) as answer:
        return json.load(answer)["counts"]


if __name__ == "__main__":
    main()
