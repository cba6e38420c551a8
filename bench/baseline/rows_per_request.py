"""Baseline of requests of several rows: with pandas and pydantic.

    rows_per_request.py preprocess  --input rows.csv --out chunks --template FILE.toml [--rows-per-request 10]
    rows_per_request.py postprocess --answers answers --rows chunks --out answered

`preprocess` writes one chunk: 0000.jsonl with a request for each ten rows, and 0000.parquet with the rows. `postprocess`
reads the lists of answers, checks each element by a model with eight fields, finds rows by id, and writes 0000.parquet with a
column for each field. Both print one JSON line of measurements.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from measure import Measurement
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

FENCED = re.compile(r"```(?:json)?\s*(\[.*\])\s*```", re.DOTALL)


class Ticket(BaseModel):
    """The answer to one row."""

    id: str
    topic: Literal["delivery", "return", "warranty", "product", "other"]
    urgency: Annotated[int, Field(ge=1, le=5)]
    mood: Literal["pleased", "neutral", "annoyed"]
    language: str | None = None
    product: str | None = None
    refund_asked: bool
    summary: str | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None


TICKETS = TypeAdapter(list[Ticket])
FIELDS = [name for name in Ticket.model_fields if name != "id"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    pre = commands.add_parser("preprocess")
    pre.add_argument("--input", required=True, type=Path)
    pre.add_argument("--out", required=True, type=Path)
    pre.add_argument("--template", required=True, type=Path)
    pre.add_argument("--rows-per-request", default=10, type=int)
    post = commands.add_parser("postprocess")
    post.add_argument("--answers", required=True, type=Path)
    post.add_argument("--rows", required=True, type=Path)
    post.add_argument("--out", required=True, type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with Measurement() as measurement:
        if args.command == "preprocess":
            count = preprocess(args.input, args.out, tomllib.loads(args.template.read_text()), args.rows_per_request)
        else:
            count = postprocess(next(args.answers.glob("*.out")), args.rows, args.out)
    measurement.report(count)


def preprocess(source: Path, out: Path, prompt: dict[str, Any], per_request: int) -> int:
    rows = pd.read_csv(source, dtype=str, keep_default_na=False)
    rows["record_id"] = [f"r{position:09d}" for position in range(len(rows))]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    requests: list[str] = []
    with (out / "0000.jsonl").open("w", encoding="utf-8", buffering=1 << 20) as file:
        for start in range(0, len(rows), per_request):
            texts = rows["input_text"].iloc[start : start + per_request]
            shown = [
                prompt["rows"]["template"].format(row_id=number, input_text=text)
                for number, text in enumerate(texts, 1)
            ]
            record_id = f"r{start:09d}+{len(shown)}"
            requests += [record_id] * len(shown)
            content = prompt["template"].format(rows="\n".join(shown))
            model_input = {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 1024,
                "system": prompt["system"],
                "messages": [{"role": "user", "content": [{"type": "text", "text": content}]}],
            }
            file.write(encode({"recordId": record_id, "modelInput": model_input}) + "\n")
    rows["request"] = requests
    rows["number"] = rows.groupby("request", sort=False).cumcount() + 1
    rows.to_parquet(out / "0000.parquet", index=False)
    return len(rows)


def postprocess(answers: Path, rows_folder: Path, out: Path) -> int:
    columns: dict[str, list[Any]] = {name: [] for name in ["request", "number", "response", *FIELDS]}
    tokens: dict[str, tuple[int, int]] = {}
    with answers.open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            output = record.get("modelOutput")
            if not output:
                continue
            text = "".join(block["text"] for block in output["content"] if block["type"] == "text")
            usage = output["usage"]
            tokens[record["recordId"]] = (usage["input_tokens"], usage["output_tokens"])
            for ticket in tickets_in(text):
                columns["request"].append(record["recordId"])
                columns["number"].append(int(ticket.id))
                columns["response"].append(ticket.model_dump_json(exclude={"id"}))
                for name in FIELDS:
                    columns[name].append(getattr(ticket, name))
    rows = pd.read_parquet(rows_folder / "0000.parquet")
    found = pd.DataFrame(columns).drop_duplicates(["request", "number"], keep=False)
    answered = rows.merge(found, on=["request", "number"], how="left", validate="one_to_one")
    sizes = answered.groupby("request")["number"].transform("size")
    used = answered["request"].map(tokens)
    for column, at in (("input_tokens", 0), ("output_tokens", 1)):
        shares = [pair[at] / size if isinstance(pair, tuple) else None for pair, size in zip(used, sizes, strict=True)]
        answered[column] = shares
    answered["error"] = answered["topic"].isna().map({True: "no answer", False: None})
    answered.to_parquet(out / "0000.parquet", index=False)
    return len(answered)


def tickets_in(text: str) -> list[Ticket]:
    """Returns the valid elements of the list in an answer."""
    if fenced := FENCED.search(text):
        text = fenced[1]
    try:
        return TICKETS.validate_json(text)
    except ValidationError:
        pass
    try:
        elements = json.loads(text)
    except json.JSONDecodeError:
        return []
    valid = []
    for element in elements:
        try:
            valid.append(Ticket.model_validate(element))
        except ValidationError:
            continue
    return valid


if __name__ == "__main__":
    main()
