#!/usr/bin/env python3
"""Measures each function: the size of its release zip, and the time from process start until it requests its first event
from the runtime API (best of ten starts). Needs `make lambdas`."""

import http.server
import io
import json
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

from runner import TARGET

CONTRACT = json.loads((Path(__file__).resolve().parents[1] / "crates/contract/generated/contract.json").read_text())
# What the functions read before they are ready, by the names of the contract.
SETTINGS = {
    "BUCKET_NAME": "b-ucket",
    "TASK_TABLE_NAME": "t",
    "MAX_RECORDS_PER_JOB": "1000",
    "MAX_CONCURRENT_JOBS": "5",
    "BEDROCK_ROLE_ARN": "arn:aws:iam::000000000000:role/r",
    "JOB_TIMEOUT_HOURS": "24",
    "INVOCATION_SECONDS": "720",
    "SILENT_SECONDS": "600",
    "DOWNLOAD_LINKS": "false",
    "LINK_KEY_SECRET_ARN": "k",
    "TOPIC_ARN": "t",
    "BATCH_STATE_MACHINE_ARN": "b",
    "PIPELINE_STATE_MACHINE_ARN": "p",
}


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Runtime API that records when a function requests its first event, and never returns one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RuntimeApiRequest)
        self.requested = threading.Event()
        self.finished = threading.Event()
        self.requested_at: list[float] = []


class RuntimeApiRequest(http.server.BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        self.server.requested_at.append(time.perf_counter())
        self.server.requested.set()
        self.server.finished.wait(5)

    def log_message(self, *_: object) -> None:
        pass


def start_once(folder: Path) -> float:
    server = RuntimeApi()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "g",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    env |= {CONTRACT["environment"][name]: value for name, value in SETTINGS.items()}
    started = time.perf_counter()
    process = subprocess.Popen([folder / "bootstrap"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ready = server.requested.wait(10)
    process.kill()
    process.wait()
    server.finished.set()
    server.shutdown()
    if not ready:
        sys.exit(f"{folder}/bootstrap did not request an event within 10 s")
    return server.requested_at[0] - started


def zip_bytes(folder: Path) -> int:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return packed.tell()


def main() -> None:
    print(f"{'function':14}{'binary MB':>11}{'zip MB':>9}{'ready ms':>10}")
    for function in CONTRACT["functions"]:
        folder = TARGET / "lambda" / function
        if not (folder / "bootstrap").exists():
            sys.exit(f"{folder}/bootstrap does not exist: build it with `make lambdas`")
        best = min(start_once(folder) for _ in range(10))
        size = (folder / "bootstrap").stat().st_size
        print(f"{function:14}{size / 1e6:11.1f}{zip_bytes(folder) / 1e6:9.1f}{best * 1000:10.1f}")


main()
