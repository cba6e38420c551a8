#!/usr/bin/env python3
"""Ours and the pandas + boto3 baseline, the same work in one run: prints a table of figures and ratios.

Core work on local files first (best of three runs each), then the whole way over a local S3. `make bench` calls this.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
OURS = TARGET / "release" / "bedrock-batch-bench"
BASELINE = HERE / "baseline"
BUCKET = "bench-bucket"
JOBS_OF = 100_000


def run(*command: object, env: dict[str, str] | None = None) -> dict:
    """Runs one measurement; its last line of output is JSON."""
    done = subprocess.run([str(part) for part in command], cwd=REPOSITORY, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def best(times: int, measure, clean=lambda: None) -> dict:
    """The run with the least CPU time."""
    figures = []
    for _ in range(times):
        clean()
        figures.append(measure())
    return min(figures, key=lambda f: f["cpu_seconds"])


def python(script: str, *arguments: object, env: dict[str, str] | None = None) -> dict:
    return run(sys.executable, BASELINE / script, *arguments, env=env)


def table(title: str, rows: int, lines: dict[str, dict]) -> None:
    print(f"\n{title}")
    print(f"  {'':22}{'wall s':>9}{'CPU s':>9}{'rows/CPU s':>13}{'peak RSS MB':>13}{'peak anon MB':>14}")
    for name, f in lines.items():
        anon = f.get("peak_rss_anon_bytes")
        rate = f"{rows / f['cpu_seconds']:,.0f}" if f["cpu_seconds"] else "-"
        print(
            f"  {name:22}{f['wall_seconds']:9.2f}{f['cpu_seconds']:9.2f}{rate:>13}"
            f"{f.get('peak_rss_bytes', 0) / 1e6:13.0f}{f'{anon / 1e6:.0f}' if anon else '-':>14}"
        )
    if "baseline" in lines and "ours" in lines:
        ours, baseline = lines["ours"], lines["baseline"]
        print(f"  ratio to the baseline: {baseline['cpu_seconds'] / ours['cpu_seconds']:.1f} times the rows per CPU second", end="")
        print(f", {baseline['wall_seconds'] / ours['wall_seconds']:.1f} times by wall time", end="")
    if "floor" in lines:
        print(f"; wall time {lines['ours']['wall_seconds'] / lines['floor']['wall_seconds']:.2f} times the floor")
    else:
        print()


def fresh(folder: Path):
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def core(work: Path, rows: int, with_baseline: bool, times: int, template: Path) -> None:
    csv = work / f"rows-{rows}.csv"
    if not csv.exists():
        print(f"making {rows:,} rows …", file=sys.stderr)
        subprocess.run([sys.executable, HERE / "data.py", "rows", "--rows", str(rows), "--out", csv], check=True)
    ours_out, theirs_out, floor_out = work / "ours", work / "theirs", work / "floor"
    lines = {}
    options = ("--template", template, "--max-records-per-job", JOBS_OF)
    if with_baseline:
        lines["baseline"] = best(times, lambda: python("preprocess.py", "core", "--input", csv, "--out", theirs_out, *options), fresh(theirs_out))
    lines["ours"] = best(times, lambda: run(OURS, "preprocess-core", "--input", csv, "--out", ours_out, *options), fresh(ours_out))
    chunks = sorted(ours_out.rglob("*.jsonl"))
    written = [*chunks, *sorted(ours_out.rglob("*.parquet"))]
    if with_baseline:
        lines["floor"] = best(times, lambda: python("floor.py", "core", "--read", csv, "--like", *written, "--out", floor_out, "--rows", rows), fresh(floor_out))
    table(f"preprocess, core, {rows:,} rows of {csv.stat().st_size / rows:.0f} bytes, {template.stem}", rows, lines)

    answers = work / "answers"
    shutil.rmtree(answers, ignore_errors=True)
    subprocess.run([sys.executable, HERE / "data.py", "answers", *chunks, "--out", answers], check=True, stdout=subprocess.DEVNULL)
    ours_rows, theirs_rows = work / "ours-answered", work / "theirs-answered"
    lines = {}
    if with_baseline:
        lines["baseline"] = best(times, lambda: python("postprocess.py", "core", "--answers", answers, "--rows", theirs_out, "--out", theirs_rows), fresh(theirs_rows))
    lines["ours"] = best(times, lambda: run(OURS, "postprocess-core", "--chunks", ours_out, "--answers", answers, "--out", ours_rows), fresh(ours_rows))
    if with_baseline:
        reads = [*sorted(answers.iterdir()), *sorted(ours_out.rglob("*.parquet"))]
        likes = sorted(ours_rows.rglob("*.parquet"))
        lines["floor"] = best(times, lambda: python("floor.py", "core", "--read", *reads, "--like", *likes, "--out", floor_out, "--rows", rows), fresh(floor_out))
    table(f"postprocess, core, {rows:,} rows", rows, lines)
    for folder in (floor_out, theirs_rows, ours_rows):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def local_s3():
    """MiniStack on a free port, with one bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    env = os.environ | {
        "GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
    }
    server = subprocess.Popen([Path(sys.executable).parent / "ministack"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        import boto3

        where = {"endpoint_url": endpoint, "region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        s3 = boto3.client("s3", **where)
        s3.create_bucket(Bucket=BUCKET)
        boto3.client("dynamodb", **where).create_table(
            TableName="bench",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "job_name", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "job_name", "KeyType": "HASH"}],
        )
        yield s3, env
    finally:
        server.terminate()
        server.wait(timeout=20)


def over_s3(work: Path, rows: int, template: Path) -> None:
    csv = work / f"rows-{rows}.csv"
    options = ("--template", template, "--max-records-per-job", JOBS_OF)
    with local_s3() as (s3, env):
        s3.upload_file(str(csv), BUCKET, "rows.csv")
        source = f"s3://{BUCKET}/rows.csv"
        lines = {
            "baseline": python("preprocess.py", "s3", "--input", source, "--out", f"s3://{BUCKET}/theirs", *options, env=env),
            "ours": run(OURS, "preprocess-s3", "--input", source, *options, env=env),
        }
        written = [*sorted((work / "ours").rglob("*.jsonl")), *sorted((work / "ours").rglob("*.parquet"))]
        lines["floor"] = python("floor.py", "s3", "--read", source, "--like", *written, "--out", f"s3://{BUCKET}/floor", "--rows", rows, env=env)
        table(f"preprocess, over a local S3, {rows:,} rows", rows, lines)
        reads = []
        for path in sorted((work / "answers").iterdir()):
            s3.upload_file(str(path), BUCKET, f"answers/{path.name}")
            reads.append(f"s3://{BUCKET}/answers/{path.name}")
        lines = {
            "baseline": python("postprocess.py", "s3", "--answers", f"s3://{BUCKET}/answers", "--rows", f"s3://{BUCKET}/theirs", "--out", f"s3://{BUCKET}/theirs-answered", env=env),
            "ours": run(OURS, "postprocess-s3", "--bucket", BUCKET, "--answers", "answers", env=env),
        }
        answered = [o for o in s3.list_objects_v2(Bucket=BUCKET, Prefix="batch_output_parquet/")["Contents"]]
        sizes = [size for o in answered for size in ("--write-bytes", str(o["Size"]))]
        lines["floor"] = python("floor.py", "s3", "--read", *reads, *sizes, "--out", f"s3://{BUCKET}/floor", "--rows", rows, env=env)
        table(f"postprocess, over a local S3, {rows:,} rows", rows, lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--large", type=int, default=2_000_000, help="rows of the memory check; 0 leaves it out")
    options.add_argument("--times", type=int, default=3)
    options.add_argument("--template", type=Path, default=REPOSITORY / "prompt-templates" / "sentiment_classifier.toml")
    options.add_argument("--without-s3", action="store_true")
    arguments = options.parse_args()
    work = REPOSITORY / ".local" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    print(f"machine: {os.cpu_count()} cores, {cpu.group(1) if cpu else 'unknown CPU'}; {JOBS_OF:,} records a job")
    core(work, arguments.rows, True, arguments.times, arguments.template)
    if not arguments.without_s3:
        over_s3(work, arguments.rows, arguments.template)
    if arguments.large:
        core(work, arguments.large, False, 1, arguments.template)


main()
