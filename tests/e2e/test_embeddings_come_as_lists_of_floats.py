"""The vectors of an embedding model: a list column in Parquet, JSON text in CSV, of the requested dimensions."""

import json
import math

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, topics

TITAN = "amazon.titan-embed-text-v2:0"
COUNT = 130


def rows() -> pa.Table:
    return pa.table({"doc_id": [f"{number:04}" for number in range(COUNT)], "input_text": topics(COUNT)})


def play(stack):
    return stack.play(
        stack.joke(
            stack.put_input(csv_text(rows())),
            model_id=TITAN,
            prompt_id=None,
            inference={"dimensions": 256, "normalize": True},
            output_formats=["csv", "parquet"],
        ),
        "embeddings",
    )


def test_every_row_has_its_vector(played):
    assert_whole(played, rows(), [COUNT])
    assert played.rows.schema.field("embedding").type.value_type == pa.float32()
    for vector in played.rows["embedding"].to_pylist():
        assert len(vector) == 256
        assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-4)


def test_parameters_reach_the_model(played):
    for model_input in played.records.values():
        assert (model_input["dimensions"], model_input["normalize"]) == (256, True)


def test_the_csv_holds_the_same_vectors_as_json(played):
    vectors = pa.array([json.loads(row["embedding"]) for row in played.csv_rows], pa.list_(pa.float32()))
    assert vectors.to_pylist() == played.rows["embedding"].to_pylist()
