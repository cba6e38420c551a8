"""`stack/lossless.py` accepts runs that end well in each layout, and notices each damage to their rows."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from stack.lossless import Lossy, assert_lossless
from stack.run import Run
from stack.shapes import embeddings, expanded, repeated_topics, shared_requests, single

SHAPES = {
    "single": single(repeated_topics(110, 5)),
    "long": expanded(repeated_topics(110, 5), is_wide=False),
    "wide": expanded(repeated_topics(110, 5), is_wide=True),
    "shared": shared_requests(repeated_topics(220, 5), 2),
    "embeddings": embeddings(repeated_topics(110, 5)),
}


def play(stack):
    inputs = {}
    for name, (shape, fields) in SHAPES.items():
        inputs[f"damaged-{name}"] = stack.joke(stack.put_input(shape.csv_input), **fields)
    return {name.removeprefix("damaged-"): run for name, run in stack.play_all(inputs).items()}


def column(rows: list[dict], ending: str) -> str:
    """The first column of this name or, in the wide layout, of a prompt."""
    return next(name for name in rows[0] if name == ending or name.endswith(f"_{ending}"))


def without_a_row(rows: list[dict]) -> None:
    del rows[7]


def with_a_row_twice(rows: list[dict]) -> None:
    rows.append(dict(rows[7]))


def with_the_answer_of_another(rows: list[dict]) -> None:
    answer = column(rows, "embedding" if "embedding" in rows[0] else "response")
    rows[7][answer] = rows[12][answer]


def without_an_answer(rows: list[dict]) -> None:
    rows[7][column(rows, "embedding" if "embedding" in rows[0] else "response")] = None
    rows[7][column(rows, "error")] = "lost on the way"


def with_another_cell(rows: list[dict]) -> None:
    rows[7]["topic" if "topic" in rows[0] else "input_text"] = "something else"


def sent_once_more(rows: list[dict]) -> None:
    rows[7][column(rows, "attempts")] += 1


DAMAGES: dict[Callable[[list[dict]], None], type[AssertionError]] = {
    without_a_row: Lossy,
    with_a_row_twice: Lossy,
    with_the_answer_of_another: AssertionError,
    without_an_answer: Lossy,
    with_another_cell: AssertionError,
    sent_once_more: AssertionError,
}


def with_rows(run: Run, change: Callable[[list[dict]], None]) -> Run:
    """The same run, with other rows in its output."""
    changed = run.again()
    rows, schema = changed.rows.to_pylist(), changed.rows.schema
    change(rows)
    changed.rows = pa.Table.from_pylist(rows, schema)
    return changed


@pytest.mark.parametrize("shape", SHAPES)
def test_runs_that_end_well_are_accepted(played, shape):
    # Through the same conversion as the damaged ones, which must not be what is noticed there.
    run = with_rows(played[shape], change=lambda rows: None)
    evidence = assert_lossless(run, SHAPES[shape][0])
    assert evidence.answers and not evidence.refused_for_good


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("shape", SHAPES)
def test_damage_is_noticed(played, shape, damage):
    with pytest.raises(DAMAGES[damage]):
        assert_lossless(with_rows(played[shape], damage), SHAPES[shape][0])
