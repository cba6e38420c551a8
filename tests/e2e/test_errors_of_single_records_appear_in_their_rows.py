"""Records that the model refuses or that fail at Bedrock, and are not retried: their rows say why, the others are
answered."""

from collections import Counter

from stack.checks import assert_jobs, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table

COUNT = 300


def play(stack):
    return stack.play(
        stack.joke(
            stack.put_input(csv_text(topic_table(COUNT))),
            max_records_per_job=100,
            max_retry_rounds=0,
            output_formats=["parquet", "csv"],
        ),
        "record-errors",
        record_error_rate=0.3,
        record_error_permanent_share=0.5,
    )


def test_every_row_has_its_answer_or_its_error(played):
    run = played
    codes = Counter(line["error"]["errorCode"] for line in run.answers.values() if "error" in line)
    assert set(codes) == {400, 429, 500}, "the simulator did as it was told"
    failed = codes.total()

    assert_rows_kept(run, topic_table(COUNT))
    assert_own_answers(run)
    assert_jobs(run, [100, 100, 100])
    assert_totals(run, COUNT, answered=COUNT - failed, failed=failed)
    assert run.output["status"] == "completed_with_errors"
    assert run.summary["failed_reasons"] == {f"refused by the model ({code})": count for code, count in codes.items()}
    assert run.summary["failed_codes"] == {"model_refused": failed}
    assert [row["error"] or None for row in run.csv_rows] == run.rows["error"].to_pylist()
