"""Baseline of requests of several rows: with pandas and pydantic.

    rows_per_request.py preprocess  --input rows.csv --out chunks --template FILE.toml [--rows-per-request 10]
    rows_per_request.py postprocess --answers answers --rows chunks --out answered

`preprocess` writes one chunk: 0000.jsonl with a request for each ten rows, and 0000.parquet with the rows; rows that equal
earlier ones are set aside. `postprocess` reads the lists of answers, checks each element by a model with eight fields, finds
rows by id, shares out tokens, and writes 0000.parquet with a column for each field, and the reason of each row without an
answer. Both print one JSON line of measurements.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from measure import Measurement
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
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
    rows.insert(0, "record_id", [f"r{position:09d}" for position in range(len(rows))])
    # Rows that equal earlier ones are not sent.
    repeated = rows.duplicated("input_text")
    sent = rows[~repeated].reset_index(drop=True)
    if repeated.any():
        write_repeated(rows[repeated], sent, out)
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    row_text, request_text = prompt["rows"]["template"].format, prompt["template"].format
    texts, ids = sent["input_text"].tolist(), sent["record_id"].tolist()
    with (out / "0000.jsonl").open("w", encoding="utf-8", buffering=1 << 20) as file:
        for start in range(0, len(texts), per_request):
            numbered = enumerate(texts[start : start + per_request], 1)
            shown = [row_text(row_id=number, input_text=text) for number, text in numbered]
            model_input = {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 1024,
                "system": prompt["system"],
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": request_text(rows="\n".join(shown))}]}
                ],
            }
            file.write(encode({"recordId": f"{ids[start]}+{len(shown)}", "modelInput": model_input}) + "\n")
    positions = np.arange(len(sent))
    sent["request"] = positions // per_request
    sent["number"] = positions % per_request + 1
    sent.to_parquet(out / "0000.parquet", index=False)
    return len(rows)


def write_repeated(repeated: pd.DataFrame, sent: pd.DataFrame, out: Path) -> None:
    """Writes the rows that are not sent, with the ids of those that are sent in their place."""
    first = sent.loc[sent["input_text"].isin(repeated["input_text"]), ["input_text", "record_id"]]
    first = first.rename(columns={"record_id": "same_as"})
    repeated.merge(first, on="input_text").to_parquet(out / "repeated.parquet", index=False)


def postprocess(answers: Path, rows_folder: Path, out: Path) -> int:
    rows = pd.read_parquet(rows_folder / "0000.parquet")
    first = rows[rows["number"] == 1]
    sizes = rows.groupby("request")["number"].size()
    request_of = dict(zip(first["record_id"], first["request"], strict=True))
    found: dict[str, list[Any]] = {name: [] for name in ["request", "number", "response", "invalid", *FIELDS]}
    replies: dict[str, list[Any]] = {
        name: [] for name in ["request", "stop_reason", "used_input", "used_output", "refused"]
    }
    with answers.open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            request = request_of[record["recordId"].rpartition("+")[0]]
            output = record.get("modelOutput")
            usage = output["usage"] if output else {}
            replies["request"].append(request)
            replies["stop_reason"].append(output["stop_reason"] if output else None)
            replies["used_input"].append(usage.get("input_tokens"))
            replies["used_output"].append(usage.get("output_tokens"))
            replies["refused"].append(None if output else error_text(record.get("error") or {}))
            if not output:
                continue
            text = "".join(block["text"] for block in output["content"] if block["type"] == "text")
            for number, ticket, invalid in tickets_in(text):
                found["request"].append(request)
                found["number"].append(number)
                found["invalid"].append(invalid)
                found["response"].append(ticket.model_dump_json(exclude={"id"}) if ticket else None)
                for name in FIELDS:
                    found[name].append(getattr(ticket, name) if ticket else None)
    elements = pd.DataFrame(found)
    elements["twice"] = elements.duplicated(["request", "number"], keep=False)
    elements = elements.drop_duplicates(["request", "number"])
    tokens = {"used_input": "Int64", "used_output": "Int64"}
    answered = rows.merge(pd.DataFrame(replies).astype(tokens), on="request", how="left", validate="many_to_one")
    answered = answered.merge(elements, on=["request", "number"], how="left", validate="one_to_one")
    # Shares of the tokens of a request, which add up to them.
    size, number = answered["request"].map(sizes), answered["number"]
    for column, used in (("input_tokens", "used_input"), ("output_tokens", "used_output")):
        answered[column] = answered[used] * number // size - answered[used] * (number - 1) // size
    answered["attempts"] = 1
    answered["model_id"] = MODEL
    twice = answered["twice"].eq(True)
    answered.loc[twice, ["response", *FIELDS]] = None
    error = answered["refused"].where(answered["refused"].notna(), answered["invalid"]).mask(twice, "listed twice")
    answered["error"] = error.mask(error.isna() & answered["response"].isna(), "not listed")
    internal = ["request", "number", "used_input", "used_output", "refused", "invalid", "twice"]
    answered.drop(columns=internal).to_parquet(out / "0000.parquet", index=False)
    return len(answered)


def error_text(error: dict[str, Any]) -> str:
    return f"{error.get('errorCode')}: {error.get('errorMessage')}"


def tickets_in(text: str) -> list[tuple[int, Ticket | None, str | None]]:
    """Returns the elements of the list in an answer: the number of the row, and the ticket or what is wrong with it."""
    if fenced := FENCED.search(text):
        text = fenced[1]
    try:
        # The usual case, in one call.
        return [(int(ticket.id), ticket, None) for ticket in TICKETS.validate_json(text)]
    except ValidationError:
        pass
    try:
        elements = json.loads(text)
    except json.JSONDecodeError:
        return []
    return [read for element in elements if (read := ticket_of(element))]


def ticket_of(element: Any) -> tuple[int, Ticket | None, str | None] | None:
    """Returns an element that may be invalid, or need another case or less space in its texts; `None` without an id."""
    if not isinstance(element, dict) or not str(element.get("id")).isdigit():
        return None
    for name in ("topic", "mood"):
        if isinstance(element.get(name), str):
            element[name] = element[name].strip().lower()
    try:
        return int(element["id"]), Ticket.model_validate(element), None
    except ValidationError as invalid:
        return int(element["id"]), None, f"invalid: {invalid.errors()[0]['loc']}"


if __name__ == "__main__":
    main()
