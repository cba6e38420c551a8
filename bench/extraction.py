"""Extraction of fields from texts of answers: ours and pandas + json + jsonpath-ng, which must find the same fields."""

import json
import subprocess
import sys
from pathlib import Path

from runner import HERE, OURS, REPOSITORY, best, python, run, table

TEMPLATE = REPOSITORY / "prompt-templates" / "extract_pants_metadata.toml"


def extraction(work: Path, count: int, times: int) -> None:
    texts = work / f"texts-{count}.jsonl"
    if not texts.exists():
        print(f"generating {count:,} answers …", file=sys.stderr)
        subprocess.run([sys.executable, HERE / "data.py", "texts", "--count", str(count), "--out", texts], check=True)
    ours, theirs = work / "ours-fields.jsonl", work / "theirs-fields.jsonl"
    options = ("--template", TEMPLATE, "--texts", texts)
    lines = {
        "baseline": best(times, lambda: python("extract.py", *options, "--out", theirs)),
        "ours": best(times, lambda: run(OURS, "extract", *options, "--out", ours)),
    }
    with_fields = same_fields(ours, theirs)
    size = texts.stat().st_size / count
    table(f"extraction, {count:,} answers of {size:.0f} bytes, {with_fields:,} with fields, all equal", count, lines)


def same_fields(ours: Path, theirs: Path) -> int:
    """Returns the number of answers with fields. Exits unless both found the same fields: else no ratio of speeds has a
    meaning."""
    with_fields = 0
    with ours.open() as one, theirs.open() as other:
        for number, (line, expected) in enumerate(zip(one, other, strict=True)):
            found = json.loads(line)
            if found != json.loads(expected):
                sys.exit(f"answer {number} has the fields {line.strip()}, but in the baseline {expected.strip()}")
            with_fields += any(value is not None for value in found.values())
    return with_fields
