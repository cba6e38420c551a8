"""Baseline of preprocess: converts a CSV to Bedrock JSONL chunks and one Parquet file per chunk, with pandas and boto3.

    preprocess.py core --input rows.csv --out DIR
    preprocess.py s3   --input s3://bucket/rows.csv --out s3://bucket/prefix

`core` works on local files. Both write NNNN.jsonl and NNNN.parquet and print one JSON line of measurements.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
from measure import Measurement
from stores import LocalStore, S3Store, Store, s3_client

TEMPLATES = Path(__file__).resolve().parents[2] / "prompt-templates"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["core", "s3"])
    parser.add_argument("--input", required=True, help="CSV file or S3 URI with a column input_text")
    parser.add_argument("--out", required=True, help="folder or S3 prefix for the chunks")
    parser.add_argument("--template", default=TEMPLATES / "sentiment_classifier.toml", type=Path)
    parser.add_argument("--max-records-per-job", default=100_000, type=int)
    parser.add_argument("--max-tokens", default=1024, type=int)
    args = parser.parse_args()

    if args.mode == "s3":
        folder, _, name = args.input.rpartition("/")
        s3 = s3_client()
        source: Store = S3Store(s3, folder)
        target: Store = S3Store(s3, args.out)
    else:
        name = Path(args.input).name
        source, target = LocalStore(str(Path(args.input).parent)), LocalStore(args.out)

    with Measurement() as measurement:
        template = tomllib.loads(args.template.read_text())["template"]
        with source.reader(name) as file:
            rows = pd.read_csv(file, dtype=str, keep_default_na=False)
        rows["record_id"] = [f"r{position:09d}" for position in range(len(rows))]
        sizes = chunk_sizes(len(rows), args.max_records_per_job)
        start = 0
        for index, size in enumerate(sizes):
            chunk = rows.iloc[start : start + size]
            start += size
            with target.writer(f"{index:04d}.jsonl") as file:
                write_jsonl(chunk, template, args.max_tokens, file)
            with target.writer(f"{index:04d}.parquet") as file:
                chunk.to_parquet(file, index=False)
    measurement.report(len(rows), chunks=sizes)


def chunk_sizes(rows: int, max_records: int) -> list[int]:
    """Returns the sizes of as few chunks as the limit allows, evenly filled: 2,050 rows at 1,000 per job give 684, 683, 683."""
    chunks = -(-rows // max_records)
    return [rows // chunks + (index < rows % chunks) for index in range(chunks)]


def write_jsonl(chunk: pd.DataFrame, template: str, max_tokens: int, file: Any) -> None:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for record_id, text in zip(chunk["record_id"], chunk["input_text"], strict=True):
        record = {
            "recordId": record_id,
            "modelInput": {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": max_tokens,
                "messages": [{"role": "user", "content": [{"type": "text", "text": template.format(input_text=text)}]}],
            },
        }
        file.write(encode(record).encode())
        file.write(b"\n")


if __name__ == "__main__":
    main()
