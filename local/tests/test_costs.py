"""The bill of a run is computed from what the local stack counts (bench/costs.py)."""

import importlib
import json
import sys

import pytest

from local_stack.settings import REPOSITORY

BENCH = REPOSITORY / "bench"
PRICES = json.loads((BENCH / "prices.json").read_text())


@pytest.fixture
def costs(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("costs")
    for name in ("costs", "pipeline", "runner"):
        sys.modules.pop(name, None)


def test_each_kind_of_count_is_billed(costs):
    counts = {
        "transitions": 2000,
        "invocations f": 1000,
        "cpu_seconds f": 10,
        "f s3:GetObject": 100,
        "f s3:PutObject": 10,
        "f dynamodb:UpdateItem": 10,
        "f bedrock-runtime:InvokeModel": 10,
        "state machine arn:aws:x s3:GetObject": 5,
    }
    assumed = PRICES["assumed"] | {"seconds per request": {"s3": 0.1, "dynamodb": 0.1, "bedrock": 1}}
    usage = costs.usage_of(counts, {"f": 512}, assumed)
    # Ten seconds of a processor at the share of 512 MB, and what the requests of the function take.
    seconds = 10 * 1769 / 512 + 110 * 0.1 + 10 * 0.1 + 10
    assert usage.units == {
        "state transition": 2000,
        "Lambda request": 1000,
        "Lambda GB-second": pytest.approx(seconds / 2),
        "S3 read": 105,
        "S3 write or list": 10,
        "DynamoDB write unit": 60,
    }
    lines = costs.table(usage, PRICES["usd_per_million"])
    assert "| Step Functions | 2,000 state transitions | 0.050 |" in lines


def test_every_service_has_a_price(costs):
    names = {name for names in costs.SERVICES.values() for name in names}
    assert names == PRICES["usd_per_million"].keys()
