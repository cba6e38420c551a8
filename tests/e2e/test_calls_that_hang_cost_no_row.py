"""Calls that are never answered, or whose answer stops in the middle, end in seconds and cost no row."""

import pytest

from stack.chaos import QUICK, Sweeper
from stack.faults import HUNG_CALLS, FaultyProxy, Plan, functions_through
from stack.inputs import parquet_bytes, topic_table
from stack.lossless import assert_lossless

ROWS = 450


@pytest.mark.parametrize(
    ("service", "endpoint", "share"),
    [
        ("S3", "AWS_ENDPOINT_URL", 0.04),
        ("DYNAMODB", "AWS_ENDPOINT_URL", 0.04),
        ("SFN", "AWS_ENDPOINT_URL", 0.4),
        ("BEDROCK", "AWS_ENDPOINT_URL_BEDROCK", 0.2),
    ],
)
def test_calls_that_hang_cost_no_row(stack, misbehaving, service, endpoint, share):
    # Some rows go on demand in the end.
    misbehaving(seed=3, record_error_rate=0.04, record_error_permanent_share=0.2)
    table = topic_table(ROWS)
    rows = stack.put_input(parquet_bytes(table, row_group_size=300), "rows.parquet")
    wanted = stack.joke(rows, max_records_per_job=150, max_retry_rounds=1, **QUICK)
    plan = Plan(HUNG_CALLS, seed=5, share=share)
    with (
        FaultyProxy(stack.environment[endpoint], plan) as proxy,
        functions_through(stack, f"AWS_ENDPOINT_URL_{service}", proxy),
        Sweeper(stack),
    ):
        run = stack.play(wanted, f"hung-{service.lower()}")
    print(f"{run.name}: {plan.requests} requests, faults {dict(plan.injected)}")
    assert_lossless(run, table)
    assert sum(plan.injected.values()) > 0, plan.injected
