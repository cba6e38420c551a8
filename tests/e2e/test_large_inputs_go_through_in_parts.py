"""Files above the size of one part of an upload, and prefixes above one page of a listing."""

import hashlib

import pyarrow as pa

from stack.checks import assert_whole
from stack.inputs import csv_text, topics

ROWS = 12_000
FILES = 1_005


def noise(number: int) -> str:
    """Something that does not compress."""
    return "".join(hashlib.sha256(f"{number}/{part}".encode()).hexdigest() for part in range(20))


def long_rows() -> pa.Table:
    return pa.table({"topic": topics(ROWS), "noise": [noise(number) for number in range(ROWS)]})


def many_rows() -> pa.Table:
    return pa.table({"topic": topics(FILES)})


def play(stack):
    folder = "inputs/many-files"
    for number, topic in enumerate(topics(FILES)):
        stack.put(f"{folder}/{number:05}.csv", f'topic\n"{topic}"\n')
    return stack.play_all(
        {
            "long": stack.joke(stack.put_input(csv_text(long_rows())), max_concurrent_jobs=2),
            "many-files": stack.joke(f"s3://{stack.bucket}/{folder}/", max_records_per_job=2000),
        },
        at_once=1,
    )


def test_files_of_several_parts(played):
    run = played["long"]
    sizes = [len(run.stack.read(path)) for path in run.output["output_paths"]]
    assert min(sizes) > 5 * 1024 * 1024, "a part of an upload is at least that"


def test_a_run_without_a_size_of_jobs_fills_its_concurrency(played):
    assert_whole(played["long"], long_rows(), [ROWS // 2, ROWS // 2])


def test_a_prefix_of_over_a_thousand_files(played):
    assert_whole(played["many-files"], many_rows(), [FILES])
