"""Calls that are never answered, or whose answer stops in the middle, end in seconds and cost no row, email or download."""

import itertools

import pytest

from stack.chaos import QUICK, Sweeper
from stack.contract import ENVIRONMENT, function_name
from stack.faults import HUNG_CALLS, Fault, FaultyProxy, Plan, functions_through, hung
from stack.hub import Hub, serving
from stack.inputs import parquet_bytes, topic_table
from stack.links import fetch
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


class EveryOther:
    """Lets the first of two requests hang, so that each repetition is answered."""

    def __init__(self):
        self._numbers = itertools.count()
        self.hung = 0

    def next(self) -> Fault | None:
        if next(self._numbers) % 2:
            return None
        self.hung += 1
        return hung


def test_secrets_that_hang_cost_no_row_no_email_and_no_download(stack, misbehaving):
    """The token of the Hugging Face Hub, the key that signs links, and the key that verifies them."""
    name, table = "acme/behind-a-token", topic_table(110)
    token = "hf_read_late"
    secret = stack.secret_for(function_name("preprocess"), token)
    hub = Hub({name: {"default/train/0000.parquet": parquet_bytes(table)}}, frozenset({name}), token)
    plan = EveryOther()
    with (
        serving(hub) as served,
        FaultyProxy(stack.environment["AWS_ENDPOINT_URL"], plan) as proxy,
        functions_through(stack, "AWS_ENDPOINT_URL_SECRETS_MANAGER", proxy),
        stack.variables(
            function_name("preprocess"),
            **{ENVIRONMENT["HF_ENDPOINT"]: f"{served.url}/", ENVIRONMENT["HUGGING_FACE_TOKEN_SECRET"]: secret},
        ),
    ):
        run = stack.play(stack.joke(None, dataset_id=name), "hung-secrets")
        (link,) = stack.mailbox.about(run.name).links.values()
        by_preprocess_and_notify = plan.hung
        answer = fetch(link, follow=True)
    assert_lossless(run, table)
    assert by_preprocess_and_notify == 2, "the first request of each function"
    assert plan.hung == 3
    assert answer.status == 200
    assert answer.body == stack.read(run.output["output_paths"][0])
