"""Preprocessing of images over S3, compared with the floor: only reading and writing the same bytes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner import BUCKET, HERE, OURS, REPOSITORY, client, local_s3, python, run, table

TEMPLATE = REPOSITORY / "prompt-templates" / "image_classification.toml"
PREFIX = "images"


def images(work: Path, count: int, times: int) -> None:
    few = max(count // 10, 1)
    folders = {number: drawn(work, number) for number in (few, count)}
    with local_s3() as (s3, env):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda path: put(s3, folders[count], path), sorted(folders[count].rglob("*.png"))))
        measure("MiniStack", s3, env, count, 1, python_too=True)
        for number, folder in folders.items():
            with in_memory(folder, env) as (s3_in_memory, env_in_memory):
                measure("an S3 in memory", s3_in_memory, env_in_memory, number, times)


def drawn(work: Path, count: int) -> Path:
    folder = work / f"images-{count}"
    if not folder.exists():
        print(f"drawing {count:,} images …", file=sys.stderr)
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        subprocess.run(
            [sys.executable, HERE / "data.py", "images", "--count", str(count), "--out", partial], check=True
        )
        partial.rename(folder)
    return folder


def put(s3: Any, folder: Path, path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{path.relative_to(folder)}", Body=path.read_bytes())


@contextmanager
def in_memory(folder: Path, env: dict[str, str]) -> Iterator[tuple[Any, dict[str, str]]]:
    """Serves the images from the benchmark's own S3; all other services stay with MiniStack."""
    command = [OURS, "serve-s3", "--files", folder, "--under", f"{BUCKET}/{PREFIX}"]
    server = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        endpoint = f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}"
        env = env | {"AWS_ENDPOINT_URL_S3": endpoint}
        yield client("s3", endpoint), env
    finally:
        server.terminate()
        server.wait(timeout=20)


def measure(where: str, s3: Any, env: dict[str, str], count: int, times: int, python_too: bool = False) -> None:
    source = f"s3://{BUCKET}/{PREFIX}/"
    ours, floors = [], []
    # Alternating, so that both are measured under the same conditions.
    for _ in range(times):
        ours.append(run(OURS, "preprocess-s3", "--input", source, "--images", "--template", TEMPLATE, env=env))
        written = s3.list_objects_v2(Bucket=BUCKET, Prefix="batch_inputs_json/")["Contents"]
        sizes = [part for found in written for part in ("--write-bytes", found["Size"])]
        floors.append(run(OURS, "floor-s3", "--read", source, *sizes, env=env))
    fastest = {"ours": minimum(ours, "wall_seconds"), "floor": minimum(floors, "wall_seconds")}
    if python_too:
        options = ("--read-under", source, *sizes, "--out", f"s3://{BUCKET}/python-floor", "--rows", count)
        fastest["floor in Python"] = python("floor.py", "s3", *options, env=env)
    megabytes = sum(found["Size"] for found in written) / 1e6
    table(f"preprocess, {count:,} images to {megabytes:.0f} MB of records, over {where}", count, fastest)
    peaks = [figures["peak_rss_bytes"] / 1e6 for figures in ours]
    print(f"  peak RSS of all runs: {min(peaks):.0f} to {max(peaks):.0f} MB")


def minimum(figures: list[dict], key: str) -> dict:
    return min(figures, key=lambda one: one[key])
