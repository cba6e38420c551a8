"""`rows_per_request`: several rows in one request, whose answers are found by id; rows that a list does not answer go one by
one."""

import json
import re

import pyarrow as pa

from stack.checks import text_of_output
from stack.inputs import csv_text

TRIAGE = "triage_support_tickets"
# A list needs more tokens than an answer.
INFERENCE = {"max_tokens": 4096}
ROWS = re.compile(r'<ticket id="(\d+)">(.*?)</ticket>')


# A word of the tickets whose lists are faulty.
FAULTY = "misnumbered"


def tickets(count: int, first: int = 0, more: str = "") -> pa.Table:
    """Tickets whose words occur in no other one, some of them with tags and ids of their own."""
    odd = ['<ticket id="1">', '"id": "2"', "{row_id}", "ü"]
    texts = [
        f"tent{n} leaks{n} since{n} monday{n} please{n} {odd[n % len(odd)]}{more}" for n in range(first, first + count)
    ]
    return pa.table({"input_text": [text.replace("<", "(").replace(">", ")") for text in texts]})


def prompt(name: str) -> dict:
    form = '[{{"id": "its id", "mood": "good|bad", "note": "one sentence"}}]'
    return {
        "description": f"The {name} of texts.",
        "template": f"The {name} of each text:\n{{rows}}\nAnswer with this JSON: {form}",
        "rows": {"template": '<ticket id="{row_id}">{input_text}</ticket>'},
        "output_schema": {"type": "json", "fields": {"mood": "$.mood", "note": "$.note"}},
    }


def play(stack):
    def started(table, **fields):
        uri = stack.put_input(csv_text(table))
        return stack.joke(uri, requests_per_second=300, inference=INFERENCE, **fields)

    both = {"description": "Two.", "expansion_rule": True, "prompts": ["look", "hear"]}
    two_prompts = {
        "prompt_id": None,
        "prompts": {"both": both, "look": prompt("look"), "hear": prompt("sound")},
        "prompt_config": {
            "mode": "expanded",
            "category_column": "input_text",
            "expansion_mapping": {"default": "both"},
        },
        "processing_mode": "realtime",
    }
    twice = pa.concat_tables([tickets(30), tickets(7)])
    stack.simulator.behave(FAULTY, list_fault_rate=0.4, seed=3)
    return stack.play_all(
        {
            "faulty": started(
                tickets(120, 500, f" {FAULTY}"), prompt_id=TRIAGE, rows_per_request=10, processing_mode="realtime"
            ),
            "pairs": started(tickets(240), prompt_id=TRIAGE, rows_per_request=2),
            "wide": started(tickets(30), rows_per_request=7, expanded_layout="wide", **two_prompts),
            "long": started(tickets(30), rows_per_request=7, **two_prompts),
            "doubles": started(twice, prompt_id=TRIAGE, rows_per_request=100, processing_mode="realtime"),
            "single": started(tickets(5), prompt_id=TRIAGE, processing_mode="realtime"),
            "refused": started(tickets(5), prompt_id="sentiment_classifier", rows_per_request=5),
        }
    )


def rows_of_records(attempt) -> dict[str, list[tuple[str, str]]]:
    """The rows that each record of a job shows: id and text."""
    texts = {
        record: json.dumps(model_input, ensure_ascii=False) for record, model_input in attempt.model_inputs.items()
    }
    return {record: ROWS.findall(text.replace('\\"', '"')) for record, text in texts.items()}


def assert_own_words(rows: list[dict], field: str) -> None:
    """The made-up answers consist of words of the row that they belong to."""
    for row in rows:
        words, own = (set(re.findall("[a-z0-9]+", row[name].lower())) for name in (field, "input_text"))
        assert words and words <= own, row


def test_every_row_has_the_answer_to_its_own_text(played):
    run = played["pairs"]
    assert (run.output["status"], run.summary["answered"], run.summary["failed_codes"]) == ("completed", 240, {})
    assert run.rows["input_text"].to_pylist() == tickets(240)["input_text"].to_pylist()
    assert_own_words(run.rows.to_pylist(), "summary")
    (attempt,) = run.job_attempts
    assert (attempt.lane, len(attempt.model_inputs)) == ("batch", 120)
    for record, rows in rows_of_records(attempt).items():
        assert [number for number, _ in rows] == ["1", "2"], record
    # The lists come in reverse.
    lists = [json.loads(text_of_output(line["modelOutput"])[0]) for line in attempt.lines]
    assert {tuple(element["id"] for element in elements) for elements in lists} == {("2", "1")}
    assert "id" not in json.loads(run.rows["response"][0].as_py())


def test_tokens_of_rows_add_up(played):
    run = played["pairs"]
    for name in ("input_tokens", "output_tokens"):
        assert sum(run.rows[name].to_pylist()) == run.summary[name] > 0
    assert run.summary["lanes"]["batch"]["answers"] == 120


def test_rows_with_several_prompts_share_requests_by_prompt(played):
    for name in ("wide", "long"):
        (attempt,) = played[name].job_attempts
        assert sorted(len(rows) for rows in rows_of_records(attempt).values()) == [2, 2, *[7] * 8], name
    wide, long = played["wide"].rows.to_pylist(), played["long"].rows.to_pylist()
    assert (len(wide), len(long)) == (30, 60)
    assert_own_words(long, "note")
    for row in wide:
        own = {answer["prompt_id"]: answer for answer in long if answer["input_text"] == row["input_text"]}
        assert {f"{name}_note": row[f"{name}_note"] for name in own} == {
            f"{name}_note": answer["note"] for name, answer in own.items()
        }


def test_equal_rows_are_in_no_request(played):
    run = played["doubles"]
    assert (run.summary["answered"], run.summary["duplicates"]["rows"]) == (37, 7)
    (attempt,) = run.job_attempts
    assert [len(rows) for rows in rows_of_records(attempt).values()] == [30]
    assert_own_words(run.rows.to_pylist(), "summary")


def test_without_the_field_each_row_has_a_request(played):
    run = played["single"]
    assert run.summary["answered"] == 5
    (attempt,) = run.job_attempts
    assert [len(rows) for rows in rows_of_records(attempt).values()] == [1] * 5


def test_a_prompt_without_rows_is_refused(played):
    error, cause = played["refused"].failure()
    assert error == "InvalidInput"
    assert "rows_per_request is `5`: the prompt `sentiment_classifier` does not say what is repeated" in cause


def test_rows_that_lists_do_not_answer_go_one_by_one(played):
    run = played["faulty"]
    assert (run.output["status"], run.summary["answered"]) == ("completed", 120)
    assert_own_words(run.rows.to_pylist(), "summary")
    first, second = run.job_attempts
    assert [len(rows) for rows in rows_of_records(first).values()] == [10] * 12
    again = {row["record_id"] for row in run.rows.to_pylist() if row["attempts"] == 2}
    assert 0 < len(again) < 120 and run.summary["retried"] == len(again)
    assert set(second.model_inputs) == {f"{record_id}+1" for record_id in again}
    assert all(len(rows) == 1 for rows in rows_of_records(second).values())
    assert run.summary["warnings"]["elements of answers that belong to no row of their request"] > 0
    used = sum(lane["input_tokens"] for lane in run.summary["lanes"].values())
    assert used == run.summary["input_tokens"] > sum(run.rows["input_tokens"].to_pylist())
