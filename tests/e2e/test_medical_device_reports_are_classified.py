"""The function `bedrock-batch-classifier`, invoked with the payload of the Python guide as it is: a run that classifies medical
device reports by the codes of a reference, and its CSV files and summary under the prefix of the payload."""

import csv
import io
import json
from dataclasses import dataclass

import pyarrow as pa
import pytest

from stack.contract import function_name
from stack.deployed import CLAUDE, unique
from stack.inputs import csv_text
from stack.local import REPOSITORY
from stack.run import Run

FIXTURES = REPOSITORY / "tests" / "fixtures"
REPORTS = FIXTURES / "device_reports.csv"
PRODUCT_CODES = FIXTURES / "device_problem_codes.csv"
# As JSON: a reference may be either.
PATIENT_CODES = [
    {"code": "Y01", "term": "No effect on the patient", "definition": "The patient was not affected."},
    {"code": "Y02", "term": "Injury", "definition": "The patient was injured."},
    {"code": "Y0201", "term": "Irritation of the skin", "definition": "The skin is red or itches."},
    {"code": "Y0202", "term": "Burn", "definition": "The skin is burnt."},
    {"code": "Y03", "term": "Unknown effect", "definition": "It is not known whether the patient was affected."},
]
# On demand, reports must differ from those of every other scenario.
FEW = [f"The handle of walking aid number {number} broke at the stairs. The patient fell." for number in range(25)]


@dataclass
class Classified:
    """A run that the function has started."""

    started: dict
    run: Run
    files: dict[str, bytes]

    @property
    def rows(self) -> list[dict[str, str]]:
        chunks = [body.decode() for name, body in sorted(self.files.items()) if name.endswith(".csv")]
        return [row for chunk in chunks for row in csv.DictReader(io.StringIO(chunk, newline=""))]


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def classify(stack, payload: dict) -> Classified:
    started = stack.invoke(function_name("classifier"), payload)
    run = Run(stack, started["run_id"]).wait()
    assert run.output
    prefix = started["output_uri"].removeprefix(f"s3://{stack.bucket}/")
    files = {key.removeprefix(prefix): stack.read(f"s3://{stack.bucket}/{key}") for key in stack.keys(prefix)}
    return Classified(started, run, files)


def put(stack, body: bytes | str, name: str) -> str:
    """Puts an object and returns its key."""
    return stack.put_input(body, name).removeprefix(f"s3://{stack.bucket}/")


def play(stack):
    payload = {
        "input_bucket": stack.bucket,
        "input_key": put(stack, REPORTS.read_bytes(), "device_reports.csv"),
        "output_bucket": stack.bucket,
        "output_prefix": f"classified/{unique('reports')}",
        "model_id": CLAUDE,
        "problem_type": "product",
        "batch_size": 150,
        "max_workers": 10,
        "rate_limit": 50,
        "imdrf_bucket": stack.bucket,
        "imdrf_key": put(stack, PRODUCT_CODES.read_bytes(), "device_problem_codes.csv"),
    }
    few = csv_text(pa.table({"id": [str(number) for number in range(len(FEW))], "mdr_text": FEW}))
    patient = {
        **payload,
        "input_key": put(stack, few, "few.csv"),
        "imdrf_key": put(stack, json.dumps(PATIENT_CODES), "effects.json"),
        "problem_type": "patient",
        "batch_size": 10,
        "model_id": None,
        "client_token": unique("token"),
    }
    product = classify(stack, payload)
    of_patient = classify(stack, patient)
    # As after a lost answer: the run is over by now.
    again = stack.invoke(function_name("classifier"), patient)
    return {"product": product, "patient": of_patient, "again": again, "payload": payload}


def codes_of(row: dict[str, str]) -> list[str]:
    return json.loads(row["codes"])


def test_each_report_has_one_to_three_codes_of_the_reference(played):
    known = {row["code"] for row in read_csv(PRODUCT_CODES.read_text())}
    assert len(known) == 60
    rows = played["product"].rows
    reports = read_csv(REPORTS.read_text())
    assert [(row["id"], row["mdr_text"]) for row in rows] == [(report["id"], report["mdr_text"]) for report in reports]
    for row in rows:
        assert row["error"] == ""
        assert 1 <= len(codes_of(row)) <= 3
        assert set(codes_of(row)) <= known
    lengths = {len(code) for row in rows for code in codes_of(row)}
    assert lengths == {3, 5, 7}, "codes of all levels"


def test_files_per_chunk_and_the_summary_lie_under_the_prefix(played):
    product = played["product"]
    prefix = f"s3://{product.run.stack.bucket}/{played['payload']['output_prefix']}/{product.run.run_id}/"
    assert product.started["output_uri"] == prefix
    assert product.started["execution_arn"] == product.run.arn
    assert sorted(product.files) == ["0000.csv", "0001.csv", "summary.json"]
    summary = json.loads(product.files["summary.json"])["summary"]
    assert (summary["records_in"], summary["answered"], summary["failed_codes"]) == (300, 300, {})
    assert summary["input_tokens"] > 0 and summary["cost_usd"] > 0
    assert summary["lanes"].keys() == {"batch"}


def test_the_codes_and_terms_are_in_every_request(played):
    for model_input in played["product"].run.records.values():
        assert PRODUCT_CODES.read_text().strip() in model_input["system"]


def test_small_files_are_answered_on_demand_by_the_default_model(played):
    patient = played["patient"]
    assert sorted(patient.files) == ["0000.csv", "0001.csv", "0002.csv", "summary.json"]
    assert patient.run.summary["lanes"].keys() == {"on_demand"}
    assert {row["model_id"] for row in patient.rows} == {CLAUDE}
    known = {code["code"] for code in PATIENT_CODES}
    assert all(codes_of(row) and set(codes_of(row)) <= known for row in patient.rows)


def test_a_repeated_invocation_starts_no_second_run(played):
    assert played["again"] == played["patient"].started


def classifications(stack) -> set[str]:
    pages = stack.step_functions.get_paginator("list_executions").paginate(stateMachineArn=stack.state_machine)
    names = (execution["name"] for page in pages for execution in page["executions"])
    return {name for name in names if name.startswith("imdrf-")}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"max_worker": 5, "problem_type": "device"},
            ["max_worker: is not a field", "did you mean `max_workers`", "problem_type is `device`"],
        ),
        ({"output_bucket": "somebody-else"}, ["output_bucket is `somebody-else`: the stack may write to the buckets"]),
        (
            {"imdrf_key": "nowhere.csv", "model_id": "gpt-4"},
            ["nowhere.csv`: this object does not exist", "model_id is `gpt-4`"],
        ),
    ],
)
def test_a_payload_with_mistakes_starts_nothing(stack, played, changes, says):
    before = classifications(stack)
    payload = {**played["payload"], **changes}
    answer = stack.functions.invoke(FunctionName=function_name("classifier"), Payload=json.dumps(payload).encode())
    error = json.loads(answer["Payload"].read())
    assert error["errorType"] == "InvalidInput"
    assert [words for words in says if words not in error["errorMessage"]] == [], error["errorMessage"]
    assert classifications(stack) == before
