"""`infer_types`: numbers and booleans get types if every cell agrees; codes stay text, and without it all cells do."""

import pyarrow as pa

from stack.checks import assert_rows_kept, assert_whole
from stack.inputs import csv_text, topics

COUNT = 110


def texts() -> pa.Table:
    return pa.table(
        {
            "topic": topics(COUNT),
            "count": [str(number - 50) for number in range(COUNT)],
            "ratio": [f"{number}.5" if number % 2 else str(number) for number in range(COUNT)],
            "yes": ["true" if number % 3 else "FALSE" for number in range(COUNT)],
            "code": [f"{number:04}" for number in range(COUNT)],
            "gaps": ["" if number % 4 else str(number) for number in range(COUNT)],
            "nearly": ["x" if number == COUNT - 1 else str(number) for number in range(COUNT)],
        }
    )


def typed() -> pa.Table:
    columns = {
        "count": pa.array([number - 50 for number in range(COUNT)], pa.int64()),
        "ratio": pa.array([number + 0.5 * (number % 2) for number in range(COUNT)], pa.float64()),
        "yes": pa.array([number % 3 != 0 for number in range(COUNT)], pa.bool_()),
        "gaps": pa.array([None if number % 4 else number for number in range(COUNT)], pa.int64()),
    }
    table = texts()
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def play(stack):
    uri = stack.put_input(csv_text(texts()))
    stack.put("inputs/typed-parts/a.csv", "topic,n,m\n" + "x,1,1\n" * 60)
    stack.put("inputs/typed-parts/b.csv", "topic,n,m\n" + "x,2.5,one\n" * 60)
    return stack.play_all(
        {
            "typed": stack.joke(uri, infer_types=True),
            "texts": stack.joke(uri, infer_types=False),
            "typed-parts": stack.joke(f"s3://{stack.bucket}/inputs/typed-parts", infer_types=True, deduplicate=False),
        }
    )


def test_columns_whose_cells_agree_get_types(played):
    assert_whole(played["typed"], typed(), [COUNT])


def test_without_infer_types_every_cell_stays_the_text_that_was_written(played):
    assert_rows_kept(played["texts"], texts())


def test_all_files_of_a_prefix_have_to_agree(played):
    rows = played["typed-parts"].rows
    assert rows["n"].to_pylist() == [1.0] * 60 + [2.5] * 60
    assert rows["m"].to_pylist() == ["1"] * 60 + ["one"] * 60
