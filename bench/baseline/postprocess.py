"""Baseline of postprocess: joins Bedrock's answers to the rows and writes Parquet, with pandas and boto3.

    postprocess.py core --answers DIR --rows DIR --out DIR
    postprocess.py s3   --answers s3://bucket/prefix --rows s3://bucket/prefix --out s3://bucket/prefix

Joins every NNNN.jsonl.out at any depth under --answers with the NNNN.parquet in --rows, writes NNNN.parquet, and prints one
JSON line of measurements.
"""

import argparse
import json
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from measure import Measurement
from stores import LocalStore, S3Store, Store, s3_client

SUFFIX = ".jsonl.out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["core", "s3"])
    parser.add_argument("--answers", required=True, help="folder or S3 prefix of the .jsonl.out files")
    parser.add_argument("--rows", required=True, help="folder or S3 prefix of the Parquet files of preprocess")
    parser.add_argument("--out", required=True, help="folder or S3 prefix for the answered rows")
    args = parser.parse_args()

    if args.mode == "s3":
        s3 = s3_client()
        stores: list[Store] = [S3Store(s3, uri) for uri in (args.answers, args.rows, args.out)]
    else:
        stores = [LocalStore(folder) for folder in (args.answers, args.rows, args.out)]
    answers_store, rows_store, target = stores

    total = 0
    with Measurement() as measurement:
        for name in answers_store.names():
            if not name.endswith(SUFFIX):
                continue
            parquet = PurePosixPath(name).name.removesuffix(SUFFIX) + ".parquet"
            with answers_store.reader(name) as file:
                answers = read_answers(file)
            with rows_store.reader(parquet) as file:
                rows = pd.read_parquet(file)
            answered = rows.merge(answers, on="record_id", how="left", validate="one_to_one")
            with target.writer(parquet) as file:
                answered.to_parquet(file, index=False)
            total += len(answered)
    measurement.report(total)


def read_answers(lines: Any) -> pd.DataFrame:
    """Returns one row per answer line, in the order of the lines."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("record_id", "response", "error", "stop_reason", "input_tokens", "output_tokens")
    }
    for line in lines:
        record = json.loads(line)
        output = record.get("modelOutput")
        usage = output["usage"] if output else {}
        columns["record_id"].append(record["recordId"])
        columns["response"].append(answer_text(output) if output else None)
        columns["error"].append(None if output else error_text(record.get("error") or {}))
        columns["stop_reason"].append(output["stop_reason"] if output else None)
        columns["input_tokens"].append(usage.get("input_tokens"))
        columns["output_tokens"].append(usage.get("output_tokens"))
    tokens = {"input_tokens": "Int64", "output_tokens": "Int64"}
    text = {name: "str" for name in columns if name not in tokens}
    return pd.DataFrame(columns).astype(text | tokens)


def answer_text(output: dict[str, Any]) -> str:
    return "".join(block["text"] for block in output["content"] if block["type"] == "text")


def error_text(error: dict[str, Any]) -> str:
    return f"{error.get('errorCode')}: {error.get('errorMessage')}"


if __name__ == "__main__":
    main()
