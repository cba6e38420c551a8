"""`max_num_jobs` and `max_records_total` limit a run to the first rows; the others are counted as skipped, with the
reason."""

from stack.checks import assert_jobs, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table

COUNT = 350


def play(stack):
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    return stack.play_all(
        {
            "two-jobs": stack.joke(uri, max_num_jobs=2, max_records_per_job=100),
            "total": stack.joke(uri, max_records_total=150),
            "both": stack.joke(uri, max_records_total=300, max_num_jobs=1, max_records_per_job=110),
            "more-than-there-is": stack.joke(uri, max_records_total=10_000, max_num_jobs=50),
        }
    )


def assert_first(run, count: int, sizes: list[int], reasons: dict[str, int]) -> None:
    assert_rows_kept(run, topic_table(count))
    assert_own_answers(run)
    assert_jobs(run, sizes)
    assert_totals(run, COUNT, answered=count, skipped=COUNT - count)
    assert run.summary["skipped_reasons"] == reasons
    codes = {reason.replace("over ", "over_"): rows for reason, rows in reasons.items()}
    assert run.summary["skipped_codes"] == codes
    assert run.output["status"] == "completed"


def test_max_num_jobs(played):
    assert_first(played["two-jobs"], 200, [100, 100], {"over max_num_jobs": 150})


def test_max_records_total(played):
    assert_first(played["total"], 150, [150], {"over max_records_total": 200})


def test_both_limits(played):
    assert_first(played["both"], 110, [110], {"over max_records_total": 50, "over max_num_jobs": 190})


def test_limits_that_are_not_reached_change_nothing(played):
    assert_first(played["more-than-there-is"], COUNT, [COUNT], {})
