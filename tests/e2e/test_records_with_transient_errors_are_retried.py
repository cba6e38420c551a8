"""Records with a transient error are retried in as many rounds as there are; those with a permanent error are sent
once, and `retry_on` decides which are retried at all."""

from stack.checks import assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table

COUNT = 600
FIRST = 200_000


def play(stack):
    # A third of the records fails transiently, differently in each job; a fifth fails permanently, in all jobs.
    errors = {"record_error_rate": 0.5, "record_error_permanent_share": 0.4, "seed": 5}
    uri = stack.put_input(csv_text(topic_table(COUNT, FIRST)))
    fields = {"max_records_per_job": 300, "requests_per_second": 300, "max_workers": 20}
    runs = stack.play_all(
        {
            "rounds": stack.joke(uri, max_retry_rounds=4, **fields),
            "one-round": stack.joke(uri, **fields),
            "batch-alone": stack.joke(uri, max_retry_rounds=4, max_records_per_job=300, processing_mode="batch"),
            "missing-alone": stack.joke(uri, max_retry_rounds=4, retry_on=["missing"], **fields),
        },
        **errors,
    )
    # About 150 rows, which make no two jobs of 100.
    narrow = stack.joke(
        stack.put_input(csv_text(topic_table(300, 2 * FIRST))), **(fields | {"max_records_per_job": 100})
    )
    at_first = {"record_error_rate": 0.5, "record_error_permanent_share": 0}
    return runs | stack.play_misbehaving_at_first({"narrow": narrow}, jobs={"narrow": 3}, **at_first)


def assert_kept(run) -> dict[str, list[dict]]:
    """All rows by their end: `answered`, `transient`, `permanent`."""
    assert_rows_kept(run, topic_table(COUNT, FIRST))
    assert_own_answers(run)
    ends: dict[str, list[dict]] = {"answered": [], "transient": [], "permanent": []}
    for row in run.rows.to_pylist():
        code = run.answers[row["record_id"]].get("error", {}).get("errorCode")
        ends["answered" if code is None else "permanent" if code == 400 else "transient"].append(row)
    assert_totals(run, COUNT, len(ends["answered"]), len(ends["transient"]) + len(ends["permanent"]))
    assert len(ends["permanent"]) > 50, "the simulator did as it was told"
    return ends


def test_permanent_errors_are_not_retried(played):
    for run in (run for name, run in played.items() if name != "narrow"):
        assert {row["attempts"] for row in assert_kept(run)["permanent"]} == {1}


def test_transient_errors_are_retried_until_they_pass(played):
    run = played["rounds"]
    ends = assert_kept(run)
    assert ends["transient"] == []
    assert {row["attempts"] for row in ends["answered"]} >= {1, 2, 3}
    rounds = [
        sum(len(attempt) for attempt in run.job_attempts if attempt.round == number)
        for number in range(run.summary["rounds"])
    ]
    assert rounds == sorted(rounds, reverse=True) and len(rounds) > 2
    # Too few for a batch job go on demand, in the same way.
    assert [attempt.lane for attempt in run.job_attempts] == [
        "batch" if len(attempt) >= 100 else "on_demand" for attempt in run.job_attempts
    ]


def test_there_are_no_more_rounds_than_max_retry_rounds(played):
    run = played["one-round"]
    ends = assert_kept(run)
    assert run.summary["rounds"] == 2
    assert ends["transient"], "some have failed twice"
    assert {row["attempts"] for row in ends["transient"]} == {2}
    assert {row["attempts"] for row in ends["answered"]} == {1, 2}


def test_in_batch_mode_a_remainder_below_the_minimum_keeps_its_errors(played):
    run = played["batch-alone"]
    ends = assert_kept(run)
    assert run.summary["lanes"].keys() == {"batch"}
    assert 0 < len(ends["transient"]) < 100
    assert min(len(attempt) for attempt in run.job_attempts) >= 100


def test_errors_are_retried_only_if_retry_on_says_so(played):
    run = played["missing-alone"]
    ends = assert_kept(run)
    assert ends["transient"]
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert (run.summary["rounds"], run.summary["retried"], len(run.job_attempts)) == (1, 0, 2)


def test_a_round_includes_all_rows_however_they_divide(played):
    run = played["narrow"]
    failed = sum("error" in line for attempt in run.job_attempts[:3] for line in attempt.lines)
    assert 100 < failed < 200
    assert_rows_kept(run, topic_table(300, 2 * FIRST))
    assert_own_answers(run)
    assert sum(len(attempt) for attempt in run.job_attempts[3:]) == failed
    assert_totals(run, 300, answered=300)
    assert run.summary["rounds"] == 2
