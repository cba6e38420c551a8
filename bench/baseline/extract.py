"""Baseline of extraction: converts the fields of answers to columns, with pandas, json and jsonpath-ng.

    extract.py --template FILE.toml --texts texts.jsonl --out fields.jsonl

Finds the JSON object of an answer (the whole text, a fenced block, or the first balanced object), repairs typographic
quotes if it does not parse otherwise, and evaluates each field's JSONPath, which is parsed once. The texts are read before
the measurement and the fields written after it. Prints one JSON line of measurements.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
from jsonpath_ng.ext import parse
from measure import Measurement

FENCED = re.compile(r"```(?:json)?\s*(\{.*?\})\s*```", re.DOTALL)
CLOSED_BY_ASCII = re.compile(r'„([^"„“”\n]*)"')
DECODER = json.JSONDecoder()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", required=True, type=Path)
    parser.add_argument("--texts", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    args = parser.parse_args()

    fields = tomllib.loads(args.template.read_text())["output_schema"]["fields"]
    paths = {name: parse(path) for name, path in fields.items()}
    with args.texts.open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]

    with Measurement() as measurement:
        columns: dict[str, list[Any]] = {name: [] for name in paths}
        for text in texts:
            found = json_in(text)
            for name, path in paths.items():
                columns[name].append(None if found is None else field(path.find(found)))
        frame = pd.DataFrame(columns)
    measurement.report(len(frame))

    with args.out.open("w", encoding="utf-8") as file:
        for row in zip(*columns.values(), strict=True):
            file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n")


def json_in(text: str) -> Any:
    """Returns the JSON object of an answer, or None."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    if fenced := FENCED.search(text):
        try:
            return json.loads(fenced[1])
        except json.JSONDecodeError:
            pass
    begin = text.find("{")
    if begin < 0:
        return None
    try:
        # The first balanced object; text after it is ignored.
        return DECODER.raw_decode(text, begin)[0]
    except json.JSONDecodeError:
        pass
    repaired = CLOSED_BY_ASCII.sub(r'\\"\1\\"', text)
    try:
        return DECODER.raw_decode(repaired, begin)[0]
    except json.JSONDecodeError:
        return None


def field(matches: list[Any]) -> Any:
    if not matches:
        return None
    values = [match.value for match in matches]
    value = values[0] if len(values) == 1 else values
    return [element_text(element) for element in value] if isinstance(value, list) else as_text(value)


def element_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


if __name__ == "__main__":
    main()
