"""Jobs that fail by a transient fault of Bedrock: their rows are retried in batch as long as there are rounds; after
that, in `auto`, on demand, and the summary gives the reason for the higher price. Failures whose message is not known cost
a retry too."""

from stack.checks import assert_answered_once_on_demand, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table

COUNT = 200
SMALL = 110
FIRST = 300_000
PASSING = "Internal server error. Please try again."
REASON = f"the job failed: {PASSING}"
UNKNOWN = "The gasket blew."


def play(stack):
    def execution_input(count: int, first: int, **fields) -> dict:
        uri = stack.put_input(csv_text(topic_table(count, FIRST + first)))
        return stack.joke(uri, max_records_per_job=120, requests_per_second=300, max_workers=20, **fields)

    failing = {"fail_rate": 1, "fail_message": PASSING}
    always = stack.play_all(
        {
            "always": execution_input(COUNT, 0),
            "no-rounds": execution_input(SMALL, 1000, max_retry_rounds=0),
            "in-batch-mode": execution_input(SMALL, 2000, processing_mode="batch"),
            "not-missing": execution_input(SMALL, 3000, retry_on=["error"]),
        },
        **failing,
    )
    at_first = stack.play_misbehaving_at_first(
        {"at-first": execution_input(COUNT, 4000)}, jobs={"at-first": 2}, **failing
    )
    unknown = stack.play_misbehaving_at_first(
        {"unknown-at-first": execution_input(COUNT, 5000)},
        jobs={"unknown-at-first": 2},
        fail_rate=1,
        fail_message=UNKNOWN,
    )
    return always | at_first | unknown


def test_the_next_round_is_in_batch(played):
    run, rows = played["at-first"], topic_table(COUNT, FIRST + 4000)
    assert [job["status"] for job in run.jobs] == ["Failed"] * 2 + ["Completed"] * 2
    assert {job["createCalls"] for job in run.jobs} == {1}
    assert_rows_kept(run, rows)
    assert_own_answers(run)
    assert set(run.rows["attempts"].to_pylist()) == {2}
    assert_totals(run, COUNT, answered=COUNT)
    assert run.summary["lanes"].keys() == {"batch"}


def test_an_unknown_failure_costs_a_retry_and_is_a_warning(played):
    run, rows = played["unknown-at-first"], topic_table(COUNT, FIRST + 5000)
    assert [job["status"] for job in run.jobs] == ["Failed"] * 2 + ["Completed"] * 2
    assert_rows_kept(run, rows)
    assert_own_answers(run)
    assert_totals(run, COUNT, answered=COUNT)
    (warning,) = (text for text in run.summary["warnings"] if UNKNOWN in text)
    assert run.summary["warnings"][warning] == 2


def assert_fell_back(run, rows, batch_jobs: int) -> None:
    assert [job["status"] for job in run.jobs] == ["Failed"] * batch_jobs
    assert_rows_kept(run, rows)
    assert_own_answers(run)
    assert_totals(run, len(rows), answered=len(rows), fell_back={REASON: len(rows)})
    assert run.summary["lanes"]["batch"]["answers"] == 0
    assert run.summary["lanes"]["on_demand"]["answers"] == len(rows)
    assert_answered_once_on_demand(run)


def test_beyond_the_rounds_they_go_on_demand(played):
    run = played["always"]
    assert_fell_back(run, topic_table(COUNT, FIRST), 4)
    assert [(attempt.lane, attempt.round) for attempt in run.job_attempts] == [
        *[("batch", 0)] * 2,
        *[("batch", 1)] * 2,
        *[("on_demand", 1)] * 2,
    ]
    assert set(run.rows["attempts"].to_pylist()) == {3}


def test_without_rounds_they_go_on_demand_at_once(played):
    run = played["no-rounds"]
    assert_fell_back(run, topic_table(SMALL, FIRST + 1000), 1)
    assert [(attempt.lane, attempt.round) for attempt in run.job_attempts] == [("batch", 0), ("on_demand", 0)]
    assert set(run.rows["attempts"].to_pylist()) == {2}


def test_in_batch_mode_they_never_go_on_demand(played):
    run = played["in-batch-mode"]
    assert [job["status"] for job in run.jobs] == ["Failed", "Failed"]
    assert_rows_kept(run, topic_table(SMALL, FIRST + 2000))
    assert_own_answers(run, all_came=False)
    assert_totals(run, SMALL, answered=0, failed=SMALL)
    assert all(PASSING in error for error in run.rows["error"].to_pylist())
    assert set(run.rows["attempts"].to_pylist()) == {2}
    assert run.summary["lanes"].keys() == {"batch"}


def test_rows_that_retry_on_excludes_are_not_retried(played):
    run = played["not-missing"]
    assert_totals(run, SMALL, answered=0, failed=SMALL)
    assert len(run.job_attempts) == 1
    assert all(PASSING in error for error in run.rows["error"].to_pylist())
