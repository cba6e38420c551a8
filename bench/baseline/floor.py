"""Lower bound of a benchmark: reads the same input bytes and writes the same output bytes, with no work in between.

    floor.py core --read FILE … --write-bytes N … --out DIR
    floor.py s3   --read s3://bucket/key … --write-bytes N … --out s3://bucket/prefix

Reads each input to its end, then writes one file or object per given size, one after the other, through a small buffer.
`--like FILE` takes a size from a local file. `--read-under s3://bucket/prefix/` reads all objects under the prefix, 32 at a
time. Prints one JSON line of measurements.
"""

import argparse
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from measure import Measurement
from stores import list_keys, s3_client, split_s3_uri

BLOCK = 1 << 20
MAX_CONCURRENCY = 32


class Bytes(io.RawIOBase):
    """A readable stream of `size` bytes that repeats one block."""

    def __init__(self, block: bytes, size: int) -> None:
        self._block = memoryview(block)
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), len(self._block), self._left)
        buffer[:count] = self._block[:count]
        self._left -= count
        return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["core", "s3"])
    parser.add_argument("--read", nargs="+", default=[], metavar="INPUT")
    parser.add_argument("--read-under", metavar="PREFIX", help="for mode s3: read all objects under this prefix")
    parser.add_argument("--write-bytes", nargs="+", default=[], type=int, metavar="N")
    parser.add_argument("--like", nargs="+", default=[], type=Path, metavar="FILE")
    parser.add_argument("--out", required=True)
    parser.add_argument("--rows", default=0, type=int, help="number of rows to print in the output")
    args = parser.parse_args()

    sizes = args.write_bytes + [path.stat().st_size for path in args.like]
    block = os.urandom(BLOCK)
    read = 0
    if args.mode == "s3":
        s3 = s3_client(MAX_CONCURRENCY)
        with Measurement() as measurement:
            for uri in args.read:
                bucket, key = split_s3_uri(uri)
                body = s3.get_object(Bucket=bucket, Key=key)["Body"]
                read += sum(len(data) for data in body.iter_chunks(BLOCK))
            if args.read_under:
                read += read_under(s3, args.read_under)
            bucket, prefix = split_s3_uri(args.out.rstrip("/") + "/")
            for index, size in enumerate(sizes):
                s3.upload_fileobj(io.BufferedReader(Bytes(block, size), BLOCK), bucket, f"{prefix}{index:04d}.floor")
    else:
        with Measurement() as measurement:
            for path in args.read:
                read += drain(path)
            Path(args.out).mkdir(parents=True, exist_ok=True)
            for index, size in enumerate(sizes):
                fill(Path(args.out) / f"{index:04d}.floor", block, size)
    measurement.report(args.rows, bytes_read=read, bytes_written=sum(sizes))


def read_under(s3: Any, uri: str) -> int:
    bucket, _ = split_s3_uri(uri)

    def length(key: str) -> int:
        return len(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    with ThreadPoolExecutor(MAX_CONCURRENCY) as pool:
        return sum(pool.map(length, list_keys(s3, uri)))


def drain(path: str) -> int:
    buffer = bytearray(BLOCK)
    total = 0
    with Path(path).open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            total += count
    return total


def fill(path: Path, block: bytes, size: int) -> None:
    view = memoryview(block)
    with path.open("wb", buffering=0) as file:
        while size:
            size -= file.write(view[: min(size, BLOCK)])


if __name__ == "__main__":
    main()
