"""`expanded`: a column selects a rule, which names the prompts of a row; answers come one per row, or side by side."""

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from stack.inputs import csv_text
from stack.pictures import png
from stack.pipeline import read_together, sizes_of
from stack.prompts import answer_texts, filled, sent_texts

COUNT = 401
# In turn; after matching without case and outer spaces: two prompts, one, none, none.
DEPARTMENTS = ["Clothing", " FOOTWEAR", "kitchen ", "garden", ""]
RULES = {"clothing": "comprehensive_product_review", "footwear": "comprehensive_product_review"}
RULES_WITH_KITCHEN = RULES | {"Kitchen": "product_category_only"}
PROMPTS = {
    "Clothing": ["classify_product", "sentiment_classifier"],
    " FOOTWEAR": ["classify_product", "sentiment_classifier"],
    "kitchen ": ["classify_product"],
    "garden": [],
    "": [],
}
FIELDS = ["category", "confidence", "reasoning"]
REST = ["error", "stop_reason", "input_tokens", "output_tokens", "attempts", "model_id"]
# Ids that look like those of expanded records.
IDS = [f"{stem}{ending}" for stem in range(COUNT) for ending in ("", "-001", "-001-002")][:COUNT]
COLORS = ("red", "blue", "green")
PICTURES = 40


def products():
    numbers = range(COUNT)
    return pa.table(
        {
            "record_id": IDS,
            "product_name": [f"thing {number}" for number in numbers],
            "description": [f"It is no. {number}." for number in numbers],
            "department": [DEPARTMENTS[number % len(DEPARTMENTS)] for number in numbers],
            "input_text": [f"I like no. {number}." for number in numbers],
        }
    )


def play(stack):
    uri = stack.put_input(csv_text(products()))

    def expanded(column="department", rules=RULES_WITH_KITCHEN, **fields):
        config = {"mode": "expanded", "category_column": column, "expansion_mapping": rules}
        return {"prompt_id": None, "prompt_config": config, **fields}

    # Names that the answers need, in one layout or the other.
    own = products().slice(0, 120).drop_columns(["record_id"])
    for name in ("category", "prompt_id", "error", "classify_product_category"):
        own = own.append_column(name, [[f"{name} {number}" for number in range(len(own))]])
    clashing = stack.put_input(csv_text(own))
    small = {"max_records_per_job": 101, "output_formats": ["parquet", "csv"], "requests_per_second": 500}
    folder = f"inputs/{uuid.uuid4().hex}/"
    with ThreadPoolExecutor(8) as pool:
        pictures = {f"{at:03}.png": png(f"{COLORS[at % 3]} shirt, Size S, {at}") for at in range(PICTURES)}
        list(pool.map(lambda name: stack.put(folder + name, pictures[name]), pictures))
    images = {"input_type": "image", "max_records_per_job": 100, "requests_per_second": 500}
    every = expanded("file_name", {"default": "detailed_clothing_analysis"})
    return stack.play_all(
        {
            "long": stack.joke(uri, **expanded(), **small),
            "wide": stack.joke(uri, **expanded(), **small, expanded_layout="wide"),
            "clash-long": stack.joke(clashing, **expanded()),
            "clash-wide": stack.joke(clashing, **expanded(), expanded_layout="wide"),
            "default": stack.joke(uri, **expanded(rules=RULES | {"default": "product_category_only"}), max_num_jobs=1),
            "pictures-long": stack.joke(f"s3://{stack.bucket}/{folder}", **every, **images),
            "pictures-wide": stack.joke(f"s3://{stack.bucket}/{folder}", **every, **images, expanded_layout="wide"),
        }
    )


def expected_pairs():
    """Record id and prompt of each answer, in the order of the input; a row without prompts appears once."""
    pairs: list[tuple[str, str | None]] = []
    for record_id, department in zip(IDS, products()["department"].to_pylist(), strict=True):
        pairs += [(record_id, prompt) for prompt in PROMPTS[department]] or [(record_id, None)]
    return pairs


@pytest.fixture(scope="module")
def long_rows(played):
    return read_together(played["long"]).to_pylist()


def test_long_has_one_row_per_prompt(played, long_rows):
    assert Counter((row["record_id"], row["prompt_id"]) for row in long_rows) == Counter(expected_pairs())
    assert len([name for name in sizes_of(played["long"]) if name != "duplicates-0000.parquet"]) > 3


def test_each_answer_is_in_the_row_of_its_prompt(played, long_rows):
    run = played["long"]
    inputs = {row["record_id"]: row for row in products().to_pylist()}
    sent, answers = sent_texts(run), answer_texts(run)
    for row in long_rows:
        assert {name: row[name] for name in inputs[row["record_id"]]} == inputs[row["record_id"]]
        if row["prompt_id"] is None:
            continue
        record_id = sent.pop(filled(row["prompt_id"], row))
        assert (row["error"], row["response"], row["attempts"]) == (None, answers[record_id], 1)
        said = json.loads(row["response"]) if row["prompt_id"] == "classify_product" else dict.fromkeys(FIELDS)
        assert {name: row[name] for name in FIELDS} == said
    assert sent == {}


def test_records_are_named_after_their_rows(played):
    expected = []
    for record_id, department in zip(IDS, products()["department"].to_pylist(), strict=True):
        expected += [f"{record_id}-{number + 1:03}" for number in range(len(PROMPTS[department]))]
    assert Counter(list(played["long"].records)) == Counter(expected)


@pytest.mark.parametrize("name", ["long", "wide"])
def test_rows_without_a_rule_say_why(played, name):
    rows = read_together(played[name]).to_pylist()
    left = [row for row in rows if not PROMPTS[row["department"]]]
    assert len(left) == sum(not PROMPTS[department] for department in products()["department"].to_pylist())
    for row in left:
        assert row["error"].startswith("not sent: ") and "`department`" in row["error"], row["error"]
        assert ("garden" if row["department"] else "is empty") in row["error"], row["error"]


def test_wide_has_one_row_per_input_with_columns_per_prompt(played):
    table = read_together(played["wide"])
    first = ["response", *FIELDS, *REST]
    assert table.column_names == [
        *products().column_names,
        *(f"classify_product_{name}" for name in first),
        *(f"sentiment_classifier_{name}" for name in ["response", *REST]),
        "error",
    ]
    assert sorted(table["record_id"].to_pylist()) == sorted(IDS)


def test_wide_holds_the_answers_of_long(played, long_rows):
    answers = {(row["record_id"], row["prompt_id"]): row for row in long_rows}
    for row in read_together(played["wide"]).to_pylist():
        for prompt in ("classify_product", "sentiment_classifier"):
            same = answers.get((row["record_id"], prompt))
            for name in ["response", "error", "model_id", *(FIELDS if prompt == "classify_product" else [])]:
                assert row[f"{prompt}_{name}"] == (same and same[name]), (row, prompt, name)
        assert (row["error"] is None) == bool(PROMPTS[row["department"]])


@pytest.mark.parametrize(
    ("name", "renamed"),
    [("clash-long", ["category", "prompt_id", "error"]), ("clash-wide", ["error", "classify_product_category"])],
)
def test_columns_whose_names_the_answers_need_are_renamed(played, name, renamed):
    rows = read_together(played[name]).sort_by("record_id").to_pylist()
    for row in rows:
        number = int(row["record_id"][1:])
        for column in ("category", "prompt_id", "error", "classify_product_category"):
            assert row[f"input_{column}" if column in renamed else column] == f"{column} {number}"


@pytest.mark.parametrize("name", ["long", "wide"])
def test_csv_says_the_same(played, name):
    run = played[name]
    table = read_together(run)
    assert list(run.csv_rows[0]) == table.column_names
    key = "prompt_id" if name == "long" else "classify_product_category"

    def told(rows):
        return Counter((row["record_id"], row[key] or None, row["error"] or None) for row in rows)

    assert told(run.csv_rows) == told(table.to_pylist())


def test_the_summary_counts_records_and_rows(played):
    pairs = expected_pairs()
    answered = sum(prompt is not None for _, prompt in pairs)
    summary = played["long"].summary
    assert summary["records_in"] == len(pairs)
    assert (summary["answered"], summary["failed"]) == (answered, len(pairs) - answered)
    assert summary["input_rows"] == COUNT
    assert sum(summary["failed_reasons"].values()) == len(pairs) - answered
    assert sum(len(attempt) for attempt in played["long"].job_attempts) == answered


def test_default_is_for_all_others(played):
    run = played["default"]
    prompts: dict[str, set[str | None]] = {row["department"]: set() for row in run.rows.to_pylist()}
    for row in run.rows.to_pylist():
        prompts[row["department"]].add(row["prompt_id"])
    assert prompts == {
        department: set(PROMPTS["Clothing"]) if PROMPTS[department][1:] else {"classify_product"}
        for department in DEPARTMENTS
    }


def test_several_prompts_of_a_picture(played):
    """Three prompts a picture, so that jobs of 100 cut between them."""
    rows = read_together(played["pictures-long"]).to_pylist()
    prompts = ("extract_color", "extract_size", "extract_brand")
    expected = Counter((f"{at:03}.png", prompt) for at in range(PICTURES) for prompt in prompts)
    assert Counter((row["file_name"], row["prompt_id"]) for row in rows) == expected
    for row in rows:
        field = row["prompt_id"].removeprefix("extract_")
        assert row["error"] is None and row[field], row
        assert [name for name in ("color", "size", "brand") if row[name] is not None] == [field]
        if field == "color":
            assert row["color"] == COLORS[int(row["file_name"][:3]) % 3]
    wide = {row["file_name"]: row for row in read_together(played["pictures-wide"]).to_pylist()}
    assert len(wide) == PICTURES
    for row in rows:
        assert wide[row["file_name"]][f"{row['prompt_id']}_response"] == row["response"]
        assert wide[row["file_name"]]["error"] is None
