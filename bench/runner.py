"""Common parts of the benchmarks: running a measurement, printing a table of figures, a local S3."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
# The same default as in the Makefile.
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or CACHE / "bedrock-batch" / "target")
OURS = TARGET / "release" / "bedrock-batch-bench"
BASELINE = HERE / "baseline"
BUCKET = "bench-bucket"


def run(*command: object, env: dict[str, str] | None = None) -> dict:
    """Runs one measurement, whose last line of output is JSON."""
    done = subprocess.run(
        [str(part) for part in command], cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def best(times: int, measure: Callable[[], dict], clean: Callable[[], None] = lambda: None) -> dict:
    """Returns the figures of the run with the lowest CPU time."""
    figures = []
    for _ in range(times):
        clean()
        figures.append(measure())
    return min(figures, key=lambda f: f["cpu_seconds"])


def python(script: str, *arguments: object, env: dict[str, str] | None = None) -> dict:
    return run(sys.executable, BASELINE / script, *arguments, env=env)


def rows_csv(work: Path, rows: int) -> Path:
    """Returns a CSV of made-up rows, which is generated unless it exists."""
    csv = work / f"rows-{rows}.csv"
    if not csv.exists():
        print(f"generating {rows:,} rows …", file=sys.stderr)
        # Under its own name only when it is complete: a generation that was interrupted is done again.
        partial = csv.with_suffix(".partial")
        subprocess.run([sys.executable, HERE / "data.py", "rows", "--rows", str(rows), "--out", partial], check=True)
        partial.rename(csv)
    return csv


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
    ours, comparison = lines.get("ours"), []
    if ours and (baseline := lines.get("baseline")):
        comparison.append(
            f"ratio to the baseline: {baseline['cpu_seconds'] / ours['cpu_seconds']:.1f} times the rows per CPU second"
        )
        comparison.append(f"{baseline['wall_seconds'] / ours['wall_seconds']:.1f} times by wall time")
    if ours and (floor := lines.get("floor")):
        comparison.append(f"wall time {ours['wall_seconds'] / floor['wall_seconds']:.2f} times the floor")
    print(f"  {', '.join(comparison)}")


def fresh(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def client(service: str, endpoint: str) -> Any:
    # Here, so that the local measurements work without boto3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    path_style = Config(s3={"addressing_style": "path"}) if service == "s3" else None
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", config=path_style, **credentials)


@contextmanager
def local_s3() -> Iterator[tuple[Any, dict[str, str]]]:
    """Starts MiniStack on a free port, with one bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    env = os.environ | {
        "GATEWAY_PORT": str(port),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server = subprocess.Popen(
        [Path(sys.executable).parent / "ministack"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        s3 = client("s3", endpoint)
        s3.create_bucket(Bucket=BUCKET)
        client("dynamodb", endpoint).create_table(
            TableName="bench",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "job_name", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "job_name", "KeyType": "HASH"}],
        )
        yield s3, env
    finally:
        server.terminate()
        server.wait(timeout=20)
