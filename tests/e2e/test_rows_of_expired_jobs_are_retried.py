"""Jobs that expire with all their rows: the rows are retried in another round, and each comes out once."""

import pyarrow as pa
import pytest

from stack.checks import assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table

COUNT = 300
SMALL = 100
EQUAL = 30


def play(stack):
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    small = stack.put_input(csv_text(topic_table(SMALL)))
    equal = stack.put_input(csv_text(pa.concat_tables([topic_table(SMALL), topic_table(EQUAL)])))
    once = ("in-batch-mode", "not-again", "errors-alone", "nothing", "with-duplicates")
    return stack.play_misbehaving_at_first(
        {
            "again": stack.joke(uri, max_records_per_job=100, output_formats=["parquet", "csv"]),
            "in-batch-mode": stack.joke(small, processing_mode="batch"),
            "not-again": stack.joke(small, max_retry_rounds=0),
            "errors-alone": stack.joke(small, retry_on=["error"]),
            "nothing": stack.joke(small, retry_on=[]),
            "with-duplicates": stack.joke(equal),
        },
        jobs={"again": 3, **dict.fromkeys(once, 1)},
        expire_rate=1,
    )


@pytest.mark.parametrize(("name", "count", "jobs"), [("again", COUNT, 3), ("in-batch-mode", SMALL, 1)])
def test_all_rows_are_answered_in_the_next_round(played, name, count, jobs):
    run = played[name]
    assert [job["status"] for job in run.jobs] == ["Expired"] * jobs + ["Completed"] * jobs
    assert {job["createCalls"] for job in run.jobs} == {1}
    assert [attempt.round for attempt in run.job_attempts] == [0] * jobs + [1] * jobs
    assert_rows_kept(run, topic_table(count))
    assert_own_answers(run)
    assert set(run.rows["attempts"].to_pylist()) == {2}
    assert_totals(run, count, answered=count)
    assert (run.summary["rounds"], run.summary["retried"], run.summary["jobs"]) == (2, count, 2 * jobs)


def test_outputs_of_both_formats_are_rewritten(played):
    run = played["again"]
    names = [path.removeprefix(run.output["output_prefix"]) for path in run.output["output_paths"]]
    assert names == [f"{chunk:04}.{format_}" for chunk in range(3) for format_ in ("parquet", "csv")]
    assert [row["response"] for row in run.csv_rows] == run.rows["response"].to_pylist()
    assert [row["attempts"] for row in run.csv_rows] == ["2"] * COUNT


@pytest.mark.parametrize("name", ["not-again", "errors-alone", "nothing"])
def test_without_a_retry_they_say_how_their_job_ended(played, name):
    run = played[name]
    (job,) = run.jobs
    assert job["status"] == "Expired"
    assert_rows_kept(run, topic_table(SMALL))
    assert_own_answers(run, all_came=False)
    assert all("Expired" in error for error in run.rows["error"].to_pylist())
    assert_totals(run, SMALL, answered=0, failed=SMALL)
    assert (run.summary["rounds"], run.summary["retried"]) == (1, 0)
    assert run.summary["failed_reasons"] == {"no answer: the job ended as Expired": SMALL}


def test_their_duplicates_get_the_answers_of_the_next_round(played):
    run = played["with-duplicates"]
    assert run.output["status"] == "completed"
    rows = run.rows.to_pylist()
    assert len(rows) == SMALL + EQUAL
    for first, second in zip(rows[:EQUAL], rows[SMALL:], strict=True):
        assert (first["topic"], first["response"], 2) == (second["topic"], second["response"], second["attempts"])
        assert second["response"]
    assert run.summary["retried"] == SMALL + EQUAL
    assert run.summary["duplicates"]["rows"] == EQUAL
