"""Requests of ten rows with eight fields each: ours and pandas + pydantic, which must answer the same rows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from runner import HERE, OURS, REPOSITORY, best, fresh, python, run, table

TEMPLATE = REPOSITORY / "prompt-templates" / "triage_support_tickets.toml"
PER_REQUEST = 10
# One chunk: both sides then divide the rows into the same requests.
RECORDS_PER_JOB = 100_000


def several_rows(work: Path, rows: int, times: int) -> None:
    csv = work / f"rows-{rows}.csv"
    if not csv.exists():
        print(f"generating {rows:,} rows …", file=sys.stderr)
        subprocess.run([sys.executable, HERE / "data.py", "rows", "--rows", str(rows), "--out", csv], check=True)
    ours, theirs = work / "ours-several", work / "theirs-several"
    options = ("--template", TEMPLATE, "--rows-per-request", PER_REQUEST, "--input", csv)
    limit = ("--max-records-per-job", RECORDS_PER_JOB)
    lines = {
        "baseline": best(
            times, lambda: python("rows_per_request.py", "preprocess", *options, "--out", theirs), fresh(theirs)
        ),
        "ours": best(times, lambda: run(OURS, "preprocess-core", *options, *limit, "--out", ours), fresh(ours)),
    }
    table(f"preprocess, {PER_REQUEST} rows per request, {rows:,} rows, {TEMPLATE.stem}", rows, lines)

    answers = work / "answers-several"
    shutil.rmtree(answers, ignore_errors=True)
    chunks = sorted(ours.rglob("*.jsonl"))
    subprocess.run([sys.executable, HERE / "data.py", "lists", *chunks, "--out", answers], check=True)
    ours_out, theirs_out = work / "ours-several-answered", work / "theirs-several-answered"
    lines = {
        "baseline": best(
            times,
            lambda: python(
                "rows_per_request.py", "postprocess", "--answers", answers, "--rows", theirs, "--out", theirs_out
            ),
            fresh(theirs_out),
        ),
        "ours": best(
            times,
            lambda: run(
                OURS,
                "postprocess-core",
                "--template",
                TEMPLATE,
                "--chunks",
                ours,
                "--answers",
                answers,
                "--out",
                ours_out,
            ),
            fresh(ours_out),
        ),
    }
    answered = same_topics(ours_out, theirs_out)
    table(
        f"postprocess, {PER_REQUEST} rows per request, eight fields, {answered:,} of {rows:,} rows answered",
        rows,
        lines,
    )
    for folder in (ours, theirs, answers, ours_out, theirs_out):
        shutil.rmtree(folder, ignore_errors=True)


def same_topics(ours: Path, theirs: Path) -> int:
    """Returns the number of answered rows. Exits unless both have answered the same rows with the same topics: else no ratio
    of speeds has a meaning."""
    one, other = (
        pd.concat(pd.read_parquet(file, columns=["record_id", "topic"]) for file in sorted(folder.rglob("*.parquet")))
        .dropna()
        .sort_values("record_id", ignore_index=True)
        for folder in (ours, theirs)
    )
    # Rows that equal earlier ones are not sent by ours.
    other = other[other["record_id"].isin(one["record_id"])].reset_index(drop=True)
    if not one.astype(str).equals(other.astype(str)):
        sys.exit(f"ours has answered {len(one)} rows, the baseline {len(other)}, or with other topics")
    return len(one)
