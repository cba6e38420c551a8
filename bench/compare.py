#!/usr/bin/env python3
"""Compares our implementation with the pandas + boto3 baseline: the same work in one run, as tables of figures and ratios.

First the core work on local files (best of three runs each), then the complete use cases over a local S3, requests of several
rows, images, and the extraction of fields; then the reading of a Hugging Face dataset. Called by `make bench`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from datasets import datasets
from extraction import extraction
from images import images
from runner import BUCKET, HERE, OURS, REPOSITORY, best, fresh, local_s3, python, rows_csv, run, table
from several_rows import several_rows

RECORDS_PER_JOB = 100_000


def core(work: Path, rows: int, with_baseline: bool, times: int, template: Path) -> None:
    csv = rows_csv(work, rows)
    ours_out, theirs_out, floor_out = work / "ours", work / "theirs", work / "floor"
    lines = {}
    options = ("--template", template, "--max-records-per-job", RECORDS_PER_JOB)
    if with_baseline:
        lines["baseline"] = best(
            times,
            lambda: python("preprocess.py", "core", "--input", csv, "--out", theirs_out, *options),
            fresh(theirs_out),
        )
    lines["ours"] = best(
        times, lambda: run(OURS, "preprocess-core", "--input", csv, "--out", ours_out, *options), fresh(ours_out)
    )
    chunks = sorted(ours_out.rglob("*.jsonl"))
    written = [*chunks, *sorted(ours_out.rglob("*.parquet"))]
    if with_baseline:
        lines["floor"] = best(
            times,
            lambda: python("floor.py", "core", "--read", csv, "--like", *written, "--out", floor_out, "--rows", rows),
            fresh(floor_out),
        )
    table(f"preprocess, core, {rows:,} rows of {csv.stat().st_size / rows:.0f} bytes, {template.stem}", rows, lines)

    answers = work / "answers"
    shutil.rmtree(answers, ignore_errors=True)
    subprocess.run(
        [sys.executable, HERE / "data.py", "answers", *chunks, "--out", answers], check=True, stdout=subprocess.DEVNULL
    )
    ours_rows, theirs_rows = work / "ours-answered", work / "theirs-answered"
    lines = {}
    if with_baseline:
        lines["baseline"] = best(
            times,
            lambda: python("postprocess.py", "core", "--answers", answers, "--rows", theirs_out, "--out", theirs_rows),
            fresh(theirs_rows),
        )
    lines["ours"] = best(
        times,
        lambda: run(OURS, "postprocess-core", "--chunks", ours_out, "--answers", answers, "--out", ours_rows),
        fresh(ours_rows),
    )
    if with_baseline:
        reads = [*sorted(answers.iterdir()), *sorted(ours_out.rglob("*.parquet"))]
        written = sorted(ours_rows.rglob("*.parquet"))
        lines["floor"] = best(
            times,
            lambda: python(
                "floor.py", "core", "--read", *reads, "--like", *written, "--out", floor_out, "--rows", rows
            ),
            fresh(floor_out),
        )
    table(f"postprocess, core, {rows:,} rows", rows, lines)
    for folder in (floor_out, theirs_rows, ours_rows):
        shutil.rmtree(folder, ignore_errors=True)


def over_s3(work: Path, rows: int, template: Path) -> None:
    csv = work / f"rows-{rows}.csv"
    options = ("--template", template, "--max-records-per-job", RECORDS_PER_JOB)
    with local_s3() as (s3, env):
        s3.upload_file(str(csv), BUCKET, "rows.csv")
        source = f"s3://{BUCKET}/rows.csv"
        lines = {
            "baseline": python(
                "preprocess.py", "s3", "--input", source, "--out", f"s3://{BUCKET}/theirs", *options, env=env
            ),
            "ours": run(OURS, "preprocess-s3", "--input", source, *options, env=env),
        }
        written = [*sorted((work / "ours").rglob("*.jsonl")), *sorted((work / "ours").rglob("*.parquet"))]
        lines["floor"] = python(
            "floor.py",
            "s3",
            "--read",
            source,
            "--like",
            *written,
            "--out",
            f"s3://{BUCKET}/floor",
            "--rows",
            rows,
            env=env,
        )
        table(f"preprocess, over a local S3, {rows:,} rows", rows, lines)
        reads = []
        for path in sorted((work / "answers").iterdir()):
            s3.upload_file(str(path), BUCKET, f"answers/{path.name}")
            reads.append(f"s3://{BUCKET}/answers/{path.name}")
        lines = {
            "baseline": python(
                "postprocess.py",
                "s3",
                "--answers",
                f"s3://{BUCKET}/answers",
                "--rows",
                f"s3://{BUCKET}/theirs",
                "--out",
                f"s3://{BUCKET}/theirs-answered",
                env=env,
            ),
            "ours": run(OURS, "postprocess-s3", "--bucket", BUCKET, "--answers", "answers", env=env),
        }
        answered = s3.list_objects_v2(Bucket=BUCKET, Prefix="batch_output_parquet/")["Contents"]
        sizes = [size for o in answered for size in ("--write-bytes", str(o["Size"]))]
        lines["floor"] = python(
            "floor.py", "s3", "--read", *reads, *sizes, "--out", f"s3://{BUCKET}/floor", "--rows", rows, env=env
        )
        table(f"postprocess, over a local S3, {rows:,} rows", rows, lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--large", type=int, default=2_000_000, help="number of rows of the memory check; 0 omits it")
    options.add_argument("--times", type=int, default=3)
    options.add_argument("--template", type=Path, default=REPOSITORY / "prompt-templates" / "sentiment_classifier.toml")
    options.add_argument("--without-s3", action="store_true")
    options.add_argument("--images", type=int, default=10_000, help="number of images; 0 omits them")
    options.add_argument(
        "--texts", type=int, default=100_000, help="number of answers for the extraction of fields; 0 omits it"
    )
    options.add_argument("--dataset", type=int, default=1_000, help="megabytes of the dataset to read; 0 omits it")
    options.add_argument("--only", choices=["rows", "several-rows", "images", "extraction", "dataset"])
    arguments = options.parse_args()
    work = REPOSITORY / ".local" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    print(
        f"machine: {os.cpu_count()} cores, {cpu.group(1) if cpu else 'unknown CPU'}; {RECORDS_PER_JOB:,} records per job"
    )
    if arguments.only in (None, "rows"):
        core(work, arguments.rows, True, arguments.times, arguments.template)
        if not arguments.without_s3:
            over_s3(work, arguments.rows, arguments.template)
        if arguments.large:
            core(work, arguments.large, False, 1, arguments.template)
    if arguments.only in (None, "several-rows"):
        several_rows(work, arguments.rows, arguments.times)
    if arguments.only in (None, "images") and arguments.images and not arguments.without_s3:
        images(work, arguments.images, arguments.times)
    if arguments.only in (None, "extraction") and arguments.texts:
        extraction(work, arguments.texts, arguments.times)
    if arguments.only in (None, "dataset") and arguments.dataset:
        datasets(work, arguments.dataset, arguments.times)


main()
