"""A Hugging Face Hub of a few datasets: files behind redirects to a storage on another port, a rate limit, and connections
that break. The shapes of the responses are written by hand from the Hub's documentation; they were not recorded."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "5a1d" * 10
CONVERTED = "refs/convert/parquet"
# Entries per page of a listing.
PAGE = 2


@dataclass
class Hub:
    """`datasets`: the files of the converted branch, by path, of each dataset. `gated`: datasets that need the token."""

    datasets: dict[str, dict[str, bytes]]
    gated: frozenset[str] = frozenset()
    token: str = "hf_none"
    # By server (`hub`, `storage`) and kind: requests, and how they were answered.
    counts: Counter = field(default_factory=Counter)
    # Values of Authorization that each server got.
    tokens: dict[str, set] = field(default_factory=lambda: {"hub": set(), "storage": set()})
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    storage_url: str = ""

    def first(self, what: str) -> bool:
        """True the first time."""
        with self.lock:
            self.counts[what] += 1
            return self.counts[what] == 1


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def json(self, value: object, **headers: str) -> None:
        self.answer(200, json.dumps(value).encode(), Content_Type="application/json", **headers)


class HubHandler(Handler):
    def do_GET(self):
        hub = self.hub
        token = self.headers.get("Authorization")
        hub.tokens["hub"].add(token)
        if hub.first("rate limit"):
            return self.answer(429, Retry_After="1")
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[:2] == ["api", "datasets"]:
            parts = parts[1:]
        dataset = "/".join(parts[1:3])
        if dataset not in hub.datasets:
            return self.answer(401, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
        if dataset in hub.gated and token != f"Bearer {hub.token}":
            return self.answer(401, X_Error_Code="GatedRepo", X_Error_Message="Access to dataset is restricted")
        match parts[3:]:
            case ["revision", revision]:
                if revision not in (CONVERTED, COMMIT):
                    return self.answer(404, X_Error_Code="RevisionNotFound")
                hub.first(f"revision of {dataset}")
                return self.json({"id": dataset, "sha": COMMIT, "private": False, "gated": False, "siblings": []})
            case ["tree", revision, *folder] if revision == COMMIT:
                return self.tree(hub.datasets[dataset], "/".join(folder), int(query.get("cursor", ["0"])[0]), path)
            case ["resolve", revision, *file] if revision == COMMIT and "/".join(file) in hub.datasets[dataset]:
                location = f"{hub.storage_url}/{dataset}/{'/'.join(file)}?signature=x"
                return self.answer(302, Location=location, X_Repo_Commit=COMMIT)
        return self.answer(404, X_Error_Code="EntryNotFound")

    def tree(self, files: dict[str, bytes], folder: str, start: int, path: str) -> None:
        prefix = f"{folder}/" if folder else ""
        entries = {}
        for name, body in files.items():
            if not name.startswith(prefix):
                continue
            first, *deeper = name.removeprefix(prefix).split("/")
            if deeper:
                entries[first] = {"type": "directory", "oid": "d", "size": 0, "path": prefix + first}
            else:
                large = {"oid": "f" * 64, "size": len(body), "pointerSize": 133}
                entries[first] = {"type": "file", "oid": "a", "size": len(body), "path": name, "lfs": large}
        listed = [entries[name] for name in sorted(entries)]
        if not listed:
            return self.answer(404, X_Error_Code="EntryNotFound")
        more = {}
        if start + PAGE < len(listed):
            more["Link"] = f'<https://huggingface.co{path}?cursor={start + PAGE}>; rel="next"'
        return self.json(listed[start : start + PAGE], **more)


class StorageHandler(Handler):
    def do_GET(self):
        hub = self.hub
        hub.tokens["storage"].add(self.headers.get("Authorization"))
        _, owner, name, *file = unquote(urlsplit(self.path).path).split("/")
        body = hub.datasets[f"{owner}/{name}"]["/".join(file)]
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        part = body[first : last + 1]
        with hub.lock:
            hub.counts["ranges"] += 1
            hub.counts["bytes"] += len(part)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if hub.first("cut connection"):
            self.wfile.write(part[: len(part) // 2])
            self.close_connection = True
            return
        self.wfile.write(part)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serves the Hub on free ports of this machine."""
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), type(kind.__name__, (kind,), {"hub": hub}))
        for kind in (HubHandler, StorageHandler)
    ]
    hub.url, hub.storage_url = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
