"""The two-stage pipeline of `pipeline-configs/support-ticket-replies.json` over more rows than two jobs take."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stack.inputs import csv_text
from stack.local import REPOSITORY
from stack.pipeline import read_together, sizes_of
from stack.prompts import answer_texts, filled

COUNT = 2050
MOODS = {"positive", "negative", "neutral", "mixed"}
KEPT = ["ticket_id", "opened_at", "channel", "customer_name", "country", "order_number", "input_text"]


def tickets():
    text = (REPOSITORY / "tests" / "fixtures" / "support_tickets.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert list(rows[0]) == KEPT
    # The fixture has fewer: the same again, under other ids. Tickets without a text are not sent.
    rows = [row for row in rows if row["input_text"].strip()]
    again = [row | {"ticket_id": f"{row['ticket_id']}-{turn}"} for turn in range(4) for row in rows][:COUNT]
    ids = [f"{row['ticket_id']}/{number}" for number, row in enumerate(again)]
    return pa.table({"record_id": ids, **{name: [row[name] for row in again] for name in KEPT}})


def play(stack):
    config = json.loads((REPOSITORY / "pipeline-configs" / "support-ticket-replies.json").read_text())
    config["stages"][0]["input_s3_uri"] = stack.put_input(csv_text(tickets()), "support_tickets.csv")
    config["stages"][1]["requests_per_second"] = 500
    # As in the execution, but by its address in S3.
    uri = stack.put_input(json.dumps(config), "config.json")
    return stack.play_pipelines({"tickets": config, "tickets-by-s3": {"config_s3_uri": uri}}, at_once=1)


@pytest.fixture(scope="module")
def stages(played):
    return [read_together(run).sort_by("record_id") for run in played["tickets"].stages.values()]


def test_every_row_comes_out_of_every_stage_once_with_its_record_id(stages):
    expected = tickets().sort_by("record_id")
    for rows in stages:
        assert rows["record_id"].to_pylist() == expected["record_id"].to_pylist()
        for name in KEPT:
            assert rows[name].to_pylist() == expected[name].to_pylist(), name
        assert pc.all(pc.is_null(rows["error"])).as_py()


def test_every_stage_has_several_files_of_one_schema(played):
    for name, run in played["tickets"].stages.items():
        sizes = sizes_of(run)
        assert sum(sizes.values()) == COUNT
        assert len([file for file in sizes if not file.startswith("duplicates")]) >= 2, (name, sizes)


def test_the_second_stage_is_sent_the_answers_of_the_first(played, stages):
    first, second = stages
    assert set(first["response"].to_pylist()) <= MOODS
    assert second["sentiment"].to_pylist() == first["response"].to_pylist()
    run = played["tickets"].stages["draft_reply"]
    rows = {row["record_id"]: row for row in second.to_pylist()}
    answers = answer_texts(run)
    for record_id, model_input in run.records.items():
        row = rows[record_id]
        assert model_input["messages"][0]["content"][0]["text"] == filled("support_ticket_reply", row)
        assert row["response"] == answers[record_id]
        assert {name: row[name] for name in ("summary", "urgency", "reply")} == json.loads(row["response"])


def test_columns_of_both_stages_have_names_of_their_own(stages):
    first, second = stages
    for name in ("model_id", "attempts", "input_tokens"):
        assert second[f"classify_mood_{name}"].to_pylist() == first[name].to_pylist()
    assert "sentiment" in second.column_names and "classify_mood_response" not in second.column_names


def test_csv_holds_the_same_rows(played, stages):
    run = played["tickets"].stages["draft_reply"]
    assert len(run.csv_rows) == COUNT
    assert sorted((row["record_id"], row["response"]) for row in run.csv_rows) == list(
        zip(*(stages[1][name].to_pylist() for name in ("record_id", "response")), strict=True)
    )


def test_the_email_reports_the_totals_of_each_stage(played):
    pipeline = played["tickets"]
    email = pipeline.email
    assert email.subject == "[bedrock-batch] Pipeline support-ticket-replies has completed"
    assert email.value("run") == pipeline.run_id
    assert email.value("cost").startswith(f"${pipeline.output['cost_usd']:.4f}")
    assert pipeline.arn in email.value("execution")
    for number, (name, run) in enumerate(pipeline.stages.items(), 1):
        section = email.section(f"STAGE {number} OF 2: {name}")
        summary = run.summary
        assert f"  model       {run.plan['request']['model_id']}\n" in section
        assert "2,050 in, 2,050 answered, 0 failed, 0 skipped" in section
        assert f"{summary['jobs']} batch job" in section
        assert f"{summary['input_tokens']:,} in, {summary['output_tokens']:,} out" in section
        assert f"  cost        ${summary['cost_usd']:.4f}" in section
        if summary["duplicates"]["rows"]:
            assert f"{summary['duplicates']['rows']:,} row" in section
    names = [path.rsplit("/", 1)[1] for path in pipeline.output["output_paths"]]
    assert f"{len(names)} files under {pipeline.output['output_prefix']}" in email.section("FILES")
    assert list(email.links) == names


def test_an_input_may_be_given_by_its_address_in_s3(played):
    one, other = played["tickets"], played["tickets-by-s3"]
    assert other.output["status"] == "completed"
    totals = [("stage_name", "records_in", "answered", "failed", "cost_usd")] * 2
    assert [[stage[name] for name in names] for stage, names in zip(other.output["stages"], totals, strict=True)] == [
        [stage[name] for name in names] for stage, names in zip(one.output["stages"], totals, strict=True)
    ]
    assert read_together(other).sort_by("record_id")["reply"].equals(read_together(one).sort_by("record_id")["reply"])


def test_stages_send_no_email_of_their_own(stack, played):
    for pipeline in played.values():
        assert pipeline.email
        assert len(stack.mailbox.all_about(pipeline.name)) == 1
        for run in pipeline.stages.values():
            # The one email names them all.
            assert len(stack.mailbox.all_about(run.name)) == 1
