"""S3 and DynamoDB refuse, throttle, break off and lose answers: a run in several jobs still comes out whole."""

import pytest

from stack.chaos import QUICK, Sweeper
from stack.faults import DYNAMODB_FAULTS, S3_FAULTS, FaultyProxy, Plan, functions_through
from stack.inputs import parquet_bytes, topic_table
from stack.lossless import assert_lossless

ROWS = 2_000
# Few enough errors for the remainder of the first round to go on demand.
BEDROCK = {"seed": 3, "record_error_rate": 0.04, "record_error_permanent_share": 0.2, "event_lost_rate": 0.2}


@pytest.mark.parametrize(
    ("variable", "faults", "seed"),
    [("AWS_ENDPOINT_URL_S3", S3_FAULTS, 5), ("AWS_ENDPOINT_URL_DYNAMODB", DYNAMODB_FAULTS, 6)],
    ids=["s3", "dynamodb"],
)
def test_faults_of_s3_and_dynamodb_cost_no_row(stack, misbehaving, variable, faults, seed):
    misbehaving(**BEDROCK)
    table = topic_table(ROWS)
    rows = stack.put_input(parquet_bytes(table, row_group_size=300), "rows.parquet")
    wanted = stack.joke(rows, max_records_per_job=400, max_retry_rounds=2, **QUICK)
    # Often enough for functions to fail, and seldom enough that no step uses up its retries.
    plan = Plan(faults, seed, share=0.2)
    with (
        FaultyProxy(stack.environment["AWS_ENDPOINT_URL"], plan) as proxy,
        functions_through(stack, variable, proxy),
        Sweeper(stack),
    ):
        run = stack.play(wanted, "faults")
    print(f"{run.name}: {plan.requests} requests, faults {dict(plan.injected)}")
    evidence = assert_lossless(run, table)
    assert [job.item["records"] for job in evidence.jobs if job.is_batch and job.item["round"] == 0] == [400] * 5
    assert any(not job.is_batch for job in evidence.jobs), "rows were sent on demand"
    assert all(plan.injected[name] > 0 for name in faults), plan.injected
    assert plan.requests > 100
