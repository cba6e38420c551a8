"""Reference data: inserted into every record, frozen in the plan, and the only source of the codes in the answers."""

import json
from collections import Counter

import pyarrow as pa
import pytest

from stack.checks import text_of_output
from stack.inputs import csv_text

COUNT = 90
LONG = 1500
CACHING = {"claude": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "nova": "amazon.nova-pro-v1:0"}
CODES = 'Code,Term\r\nA01,Leak\r\nA02,"Break, {sudden}"\r\n'
RULES = '[\n  {"rule": "one code",\n   "also": 1}\n]'
# The simulator chooses one of the alternatives: a code, a code in another case, and none of the codes.
FORM = '{"code": "A01|a02|X99"}'
NOT_ALLOWED = "the field `code` of the answer has a value that is not in `reference.codes.Code`"


def prompt(**changes) -> dict:
    form = FORM.replace("{", "{{").replace("}", "}}")
    usual = {
        "description": "A code of the reference.",
        "system": "Use these codes and no others:\n{reference.codes}",
        "template": f"Rules: {{reference.rules}}\n\n<note>\n{{note}}\n</note>\n\nAnswer with this JSON: {form}",
        "output_schema": {"type": "json", "fields": {"code": "$.code"}},
        "allowed_values": {"code": "reference.codes.Code"},
    }
    return {**usual, **changes}


def play(stack):
    notes = pa.table({"note": [f"Reference note {number} with {{reference.codes}}." for number in range(COUNT)]})
    uri = stack.put_input(csv_text(notes))
    reference = {
        "codes": stack.put_input(CODES, "codes.csv"),
        "rules": stack.put_input(RULES, "rules.json"),
    }
    usual = {"prompt_id": None, "processing_mode": "realtime", "requests_per_second": 100, "max_workers": 10}
    wrong = {
        "codes": stack.put_input("Code,\nA01,x\n", "codes.csv"),
        "rules": reference["rules"].replace("rules.json", "missing.json"),
        "unused": stack.put_input("text", "unused.txt"),
    }
    inputs = {
        "held": stack.joke(uri, **usual, prompt=prompt(), reference=reference),
        "wrong": stack.joke(uri, **usual, prompt=prompt(), reference=wrong),
    }
    long = stack.put_input("Code\n" + "".join(f"Z{number:05}\n" for number in range(LONG)), "long.csv")
    for name, model_id in CACHING.items():
        inputs[name] = stack.joke(
            uri,
            **usual,
            prompt=prompt(
                system="Codes of {reference.codes}",
                allowed_values=None,
                output_schema=None,
                template=f"{name} {{reference.long}} {{note}}",
            ),
            reference={"codes": reference["codes"], "long": long},
            model_id=model_id,
            max_records_total=12,
        )
    return stack.play_all(inputs)


def test_the_reference_is_in_every_record_and_in_the_plan(played):
    run = played["held"]
    frozen = {reference["name"]: reference for reference in run.plan["prompts"]["references"]}
    assert frozen["codes"]["text"] == CODES and frozen["rules"]["text"] == '[{"rule":"one code","also":1}]'
    assert all(reference["etag"] for reference in frozen.values())
    assert len(run.records) == COUNT
    for number, model_input in enumerate(run.records.values()):
        assert model_input["system"] == f"Use these codes and no others:\n{CODES}"
        text = model_input["messages"][0]["content"][0]["text"]
        note = f"Reference note {number} with {{reference.codes}}."
        assert text.startswith(f"Rules: {frozen['rules']['text']}\n\n<note>\n{note}\n"), text


def test_every_code_is_one_of_the_reference_or_its_row_has_failed(played):
    run = played["held"]
    said: Counter[str] = Counter()
    for row in run.rows.to_pylist():
        answer = json.loads(text_of_output(run.answers[row["record_id"]]["modelOutput"])[0])["code"]
        said[answer] += 1
        expected = {"A01": ("A01", None), "a02": ("A02", None), "X99": (None, NOT_ALLOWED)}[answer]
        assert (row["code"], row["error"]) == expected
    assert min(said.values()) > 0 and len(said) == 3, said
    assert run.summary["failed_codes"] == {"value_not_allowed": said["X99"]}
    assert run.summary["changed_values"] == {"code": said["a02"]}


def test_the_tokens_and_the_cost_of_the_references_are_a_warning(played):
    warnings = played["held"].summary["warnings"]
    expected = "references add about 19 input tokens to each request, about $0.00 for all of them on demand"
    assert warnings[expected] == COUNT, warnings


@pytest.mark.parametrize("name", CACHING)
def test_long_references_are_cached_on_demand(played, name):
    run = played[name]
    read = written = others = 0
    for record_id, line in run.answers.items():
        assert line["modelInput"] == run.records[record_id], "no cache point is stored"
        usage = line["modelOutput"]["usage"]
        if name == "claude":
            of_line = usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
        else:
            of_line = usage["inputTokens"], usage["cacheReadInputTokenCount"], usage["cacheWriteInputTokenCount"]
        others, read, written = others + of_line[0], read + of_line[1], written + of_line[2]
        row = next(row for row in run.rows.to_pylist() if row["record_id"] == record_id)
        assert row["input_tokens"] == sum(of_line)
    assert read > 0 and written > 0
    summary = run.summary
    assert (summary["cache_read_input_tokens"], summary["cache_write_input_tokens"]) == (read, written)
    assert summary["input_tokens"] == others + read + written
    price = next(price for price in summary["prices"] if price["lane"] == "on_demand")
    of_cache = price.get("cache_read", price["input"] * 0.1), price.get("cache_write", price["input"] * 1.25)
    tokens = others * price["input"] + read * of_cache[0] + written * of_cache[1]
    expected = (tokens + summary["output_tokens"] * price["output"]) / 1_000_000
    assert summary["cost_usd"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "says",
    [
        "codes.csv`: has no name for column 2 in its first line, the header",
        "missing.json`: this object does not exist; upload it, or correct the address",
        "unused.txt`: is not used by any prompt of this run",
    ],
)
def test_problems_of_references_come_at_once(played, says):
    run = played["wrong"]
    error, cause = run.failure()
    assert (error, run.jobs) == ("InvalidInput", [])
    assert says in cause, cause
