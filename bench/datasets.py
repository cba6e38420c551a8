"""Reading of a dataset of about 1 GB by range requests, over a Hub on this machine: rows per second, and memory, which must
stay flat."""

import contextlib
import mmap
import random
import sys
from pathlib import Path
from typing import Any

from runner import OURS, REPOSITORY, best, run, table

DATASET = "bench/rows"
FILES = 2
ROWS_PER_GROUP = 100_000
MAX_PEAK_BYTES = 200_000_000


def datasets(work: Path, megabytes: int, times: int) -> None:
    files = [
        generated(work / f"dataset-{megabytes}-{number}.parquet", megabytes // FILES, number) for number in range(FILES)
    ]
    sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))
    from stack.hub import Hub, serving  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(path.open("rb")) for path in files]
        maps: list[Any] = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for file in opened]
        paths = {f"default/train/{number:04}.parquet": content for number, content in enumerate(maps)}
        hub = stack.enter_context(serving(Hub({DATASET: paths})))
        ours = best(times, lambda: run(OURS, "read-dataset", "--hub", hub.url, "--dataset", DATASET))
    size = sum(path.stat().st_size for path in files)
    table(f"reading a dataset of {size / 1e6:,.0f} MB over a local Hub", ours["rows"], {"ours": ours})
    if ours["peak_rss_bytes"] > MAX_PEAK_BYTES:
        sys.exit(f"the peak is over {MAX_PEAK_BYTES / 1e6:.0f} MB")


def generated(path: Path, megabytes: int, seed: int) -> Path:
    """A file of texts that hardly compress, 1,000 bytes each."""
    if path.exists():
        return path
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    print(f"generating {path.name} …", file=sys.stderr)
    chance = random.Random(seed)
    schema = pa.schema([("id", pa.int64()), ("source", pa.string()), ("target", pa.string())])
    partial = path.with_suffix(".partial")
    with pq.ParquetWriter(partial, schema, compression="snappy", use_dictionary=False) as writer:
        for first in range(0, megabytes * 1_000, ROWS_PER_GROUP):
            count = min(ROWS_PER_GROUP, megabytes * 1_000 - first)
            texts = [chance.randbytes(450).hex() for _ in range(count)]
            columns = {
                "id": list(range(first, first + count)),
                "source": texts,
                "target": [text[:100] for text in texts],
            }
            writer.write_table(pa.table(columns, schema=schema), row_group_size=ROWS_PER_GROUP)
    partial.rename(path)
    return path
