"""docs/metrics.md describes all metrics of the contract, and no others."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\w+) \| (\w+) \|(?: (\w+))? \| (.+) \|$", re.MULTILINE)


def test_all_metrics_are_described():
    contract = json.loads((ROOT / "crates/contract/generated/contract.json").read_text())["metrics"]
    rows = [row for row in ROW.findall((ROOT / "docs/metrics.md").read_text()) if row[0] != "metric"]
    described = {name: {"unit": unit, "dimension": of or None, "doc": doc} for name, unit, of, doc in rows}
    assert described == contract
