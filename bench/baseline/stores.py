"""Storage of the baseline: a local folder or a prefix in S3, accessed by file name."""

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit


def s3_client(connections: int = 10) -> Any:
    """Creates a boto3 client; AWS_ENDPOINT_URL points it at a local S3, which needs path-style addresses."""
    # Here, so that the local mode neither needs nor pays for boto3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    style = {"addressing_style": "path"} if "AWS_ENDPOINT_URL" in os.environ else None
    return boto3.client("s3", config=Config(max_pool_connections=connections, s3=style))


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Splits `s3://bucket/some/key` into bucket and key."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise SystemExit(f"not an S3 URI: {uri}")
    return parts.netloc, parts.path.lstrip("/")


def list_keys(s3: Any, uri: str) -> Iterator[str]:
    """Lists the keys under a prefix, in order."""
    bucket, prefix = split_s3_uri(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return (item["Key"] for page in pages for item in page.get("Contents", []))


class Store(Protocol):
    """Files by name, which the baseline reads and writes."""

    def names(self) -> list[str]: ...

    def reader(self, name: str) -> AbstractContextManager[Any]: ...

    def writer(self, name: str) -> AbstractContextManager[Any]: ...


class LocalStore:
    """Local folder, with the operations that the baseline needs."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())

    @contextmanager
    def reader(self, name: str) -> Iterator[Any]:
        with (self._folder / name).open("rb") as file:
            yield file

    @contextmanager
    def writer(self, name: str) -> Iterator[Any]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / name).open("wb") as file:
            yield file


class S3Store:
    """Prefix in S3, with the same operations."""

    def __init__(self, s3: Any, uri: str) -> None:
        self._s3 = s3
        self._uri = uri.rstrip("/") + "/"
        self._bucket, self._prefix = split_s3_uri(self._uri)

    def names(self) -> list[str]:
        return [key.removeprefix(self._prefix) for key in list_keys(self._s3, self._uri)]

    @contextmanager
    def reader(self, name: str) -> Iterator[Any]:
        body = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
        yield io.BytesIO(body.read())

    @contextmanager
    def writer(self, name: str) -> Iterator[Any]:
        buffer = io.BytesIO()
        yield buffer
        buffer.seek(0)
        self._s3.upload_fileobj(buffer, self._bucket, self._prefix + name)
