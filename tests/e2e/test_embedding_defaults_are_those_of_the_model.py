"""Without `inference`, vectors are those of the model's defaults; a text that is empty is the row's own error."""

import pyarrow as pa

from stack.checks import assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topics

COUNT = 101
EMPTY_AT = 50


def rows() -> pa.Table:
    texts = topics(COUNT)
    texts[EMPTY_AT] = ""
    return pa.table({"n": [str(number) for number in range(COUNT)], "input_text": texts})


def play(stack):
    uri = stack.put_input(csv_text(rows()))
    # `null` is written out, as in the samples.
    execution_input = {
        **stack.joke(uri, model_id="amazon.titan-embed-text-v2:0"),
        "prompt_id": None,
        "ask_blank_rows": True,
    }
    return stack.play(execution_input, "embedding-defaults")


def test_the_defaults_of_the_model_are_sent(played):
    for model_input in played.records.values():
        assert {name: told for name, told in model_input.items() if name != "inputText"} == {
            "dimensions": 1024,
            "normalize": True,
            "embeddingTypes": ["float"],
        }


def test_an_empty_text_fails_its_own_row_alone(played):
    assert_rows_kept(played, rows())
    assert_own_answers(played)
    assert_totals(played, COUNT, answered=COUNT - 1, failed=1)
    assert played.output["status"] == "completed_with_errors"
    vectors = played.rows["embedding"].to_pylist()
    assert vectors[EMPTY_AT] is None
    assert all(len(vector) == 1024 for at, vector in enumerate(vectors) if at != EMPTY_AT)
