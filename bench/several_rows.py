"""Requests of ten rows with eight fields each: ours and pandas + pydantic, which must answer about as many rows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from runner import HERE, OURS, REPOSITORY, best, fresh, python, rows_csv, run, table

TEMPLATE = REPOSITORY / "prompt-templates" / "triage_support_tickets.toml"
PER_REQUEST = 10
RECORDS_PER_JOB = 100_000
# Largest difference between the numbers of answered rows, as a share: the answers are drawn for each side, with faults.
TOLERANCE = 0.01


def several_rows(work: Path, rows: int, times: int) -> None:
    csv = rows_csv(work, rows)
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

    # Each side gets answers to its own requests.
    answers, their_answers = work / "answers-several", work / "their-answers-several"
    for of, made in ((ours, answers), (theirs, their_answers)):
        shutil.rmtree(made, ignore_errors=True)
        chunks = sorted(of.rglob("*.jsonl"))
        subprocess.run([sys.executable, HERE / "data.py", "lists", *chunks, "--out", made], check=True)
    ours_out, theirs_out = work / "ours-several-answered", work / "theirs-several-answered"
    lines = {
        "baseline": best(
            times,
            lambda: python(
                "rows_per_request.py", "postprocess", "--answers", their_answers, "--rows", theirs, "--out", theirs_out
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
    answered = as_many_answers(ours_out, theirs_out)
    table(
        f"postprocess, {PER_REQUEST} rows per request, eight fields, {answered:,} of {rows:,} rows answered",
        rows,
        lines,
    )
    for folder in (ours, theirs, answers, their_answers, ours_out, theirs_out):
        shutil.rmtree(folder, ignore_errors=True)


def as_many_answers(ours: Path, theirs: Path) -> int:
    """Returns the number of rows that ours has answered. Exits unless the baseline has answered about as many: else no ratio
    of speeds has a meaning."""
    one, other = (
        sum(pd.read_parquet(file, columns=["topic"])["topic"].count() for file in folder.rglob("*.parquet"))
        for folder in (ours, theirs)
    )
    if abs(one - other) > TOLERANCE * max(one, other):
        sys.exit(f"ours has answered {one} rows, the baseline {other}")
    return int(one)
