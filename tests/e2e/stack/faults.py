"""A proxy in front of the local stack: answers some requests to S3 and DynamoDB with errors of AWS."""

import http.client
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import urlsplit

from stack.contract import FUNCTION_NAME_PREFIX

# Headers that concern one connection, and are not forwarded.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "host", "content-length"}


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Broken(Exception):
    """Resets the connection, after a part of the answer if there is one, and some seconds."""

    def __init__(self, answer: Answer | None = None, seconds: float = 0.02):
        self.answer = answer
        # By default, so long that the partial answer arrives before the reset.
        self.seconds = seconds


Forward = Callable[[Request], Answer]
Fault = Callable[[Request, Forward], Answer]


# --- faults ---


def of_s3(status: int, code: str) -> Fault:
    def fault(request: Request, forward: Forward) -> Answer:
        text = f"<Error><Code>{code}</Code><Message>The proxy was told so.</Message><RequestId>0</RequestId></Error>"
        body = b"" if request.method == "HEAD" else text.encode()
        return Answer(status, [("Content-Type", "application/xml")], body)

    return fault


def of_dynamodb(status: int, code: str) -> Fault:
    def fault(request: Request, forward: Forward) -> Answer:
        kind = f"com.amazonaws.dynamodb.v20120810#{code}"
        body = json.dumps({"__type": kind, "message": "The proxy was told so."}).encode()
        return Answer(status, [("Content-Type", "application/x-amz-json-1.0")], body)

    return fault


def cut(request: Request, forward: Forward) -> Answer:
    """Breaks the connection in the middle of a body: of the answer, if there is one, otherwise of the request."""
    if request.method in ("PUT", "POST"):
        # Seen from both sides, the request was incomplete, so nothing is done, and there is no answer.
        raise Broken
    raise Broken(forward(request))


def lost(request: Request, forward: Forward) -> Answer:
    """Performs the request and loses its answer: the client that repeats it meets its own work."""
    forward(request)
    raise Broken


def late(request: Request, forward: Forward) -> Answer:
    time.sleep(0.4)
    return forward(request)


def hung(request: Request, forward: Forward) -> Answer:
    """Accepts the request and never answers it."""
    time.sleep(MAX_HANG_SECONDS)
    raise Broken


def stalled(request: Request, forward: Forward) -> Answer:
    """Sends half of the answer, and nothing more."""
    raise Broken(forward(request), seconds=MAX_HANG_SECONDS)


# Much longer than a function waits, so that it is the function that ends the call.
MAX_HANG_SECONDS = 150

HUNG_CALLS: dict[str, Fault] = {"hung": hung, "stalled": stalled}

S3_FAULTS = {
    "500 InternalError": of_s3(500, "InternalError"),
    "503 SlowDown": of_s3(503, "SlowDown"),
    "cut": cut,
    "lost": lost,
    "late": late,
}
DYNAMODB_FAULTS = {
    "ProvisionedThroughputExceededException": of_dynamodb(400, "ProvisionedThroughputExceededException"),
    "ThrottlingException": of_dynamodb(400, "ThrottlingException"),
    "500 InternalServerError": of_dynamodb(500, "InternalServerError"),
    "lost": lost,
}


class FaultPlan(Protocol):
    """Decides what happens to each request."""

    def next(self) -> Fault | None: ...


class Plan:
    """Assigns faults to requests: a seeded deck of cards, shuffled again when it is used up, so every fault occurs in any
    order of requests."""

    def __init__(self, faults: dict[str, Fault], seed: int, share: float):
        self.faults = faults
        self.injected: Counter[str] = Counter()
        self.requests = 0
        self._blanks = round(len(faults) * (1 - share) / share)
        self._random = random.Random(seed)
        self._deck: list[str | None] = []
        self._lock = threading.Lock()

    def next(self) -> Fault | None:
        with self._lock:
            if not self._deck:
                self._deck = [*self.faults, *[None] * self._blanks]
                self._random.shuffle(self._deck)
            name = self._deck.pop()
            self.requests += 1
            if name is not None:
                self.injected[name] += 1
        return None if name is None else self.faults[name]


# --- the proxy ---


class FaultyProxy:
    """Serves on a port of its own, and forwards requests without a fault."""

    def __init__(self, endpoint: str, plan: FaultPlan):
        upstream = urlsplit(endpoint)
        assert upstream.hostname is not None, endpoint
        self._upstream = upstream.hostname, upstream.port
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self):
                request = Request(self.command, self.path, dict(self.headers.items()), read_body(self))
                fault = plan.next()
                try:
                    answer = fault(request, proxy.forward) if fault else proxy.forward(request)
                except Broken as broken:
                    self.break_off(broken)
                else:
                    self.send(answer, answer.body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

            def send(self, answer: Answer, body: bytes) -> None:
                self.send_response_only(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                if not any(name.lower() == "content-length" for name, _ in answer.headers):
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(body)

            def break_off(self, broken: Broken) -> None:
                answer = broken.answer
                if answer and answer.body:
                    self.send(answer, answer.body[: len(answer.body) // 2])
                    time.sleep(broken.seconds)
                # With no time to linger, closing resets.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "FaultyProxy":
        threading.Thread(target=self._server.serve_forever, name="faulty proxy", daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def forward(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(*self._upstream, timeout=60)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
            connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            body = response.read()
            # The length is that of the whole body, which the answer to a HEAD lacks.
            kept = HOP_BY_HOP - ({"content-length"} if request.method == "HEAD" else set())
            passed = [(name, value) for name, value in response.getheaders() if name.lower() not in kept]
            return Answer(response.status, passed, body)
        finally:
            connection.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """Ignores connections that functions close."""


def read_body(handler: BaseHTTPRequestHandler) -> bytes:
    if "chunked" not in handler.headers.get("Transfer-Encoding", "").lower():
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    chunks = []
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        chunks.append(handler.rfile.read(size))
        handler.rfile.readline()
    while handler.rfile.readline().strip():
        pass
    return b"".join(chunks)


# --- functions that go through it ---


def functions_through(stack, variable: str, proxy: FaultyProxy):
    """Lets all functions of the stack reach a service through the proxy."""
    names = [name for page in stack.functions.get_paginator("list_functions").paginate() for name in ours(page)]
    return endpoints_of(stack, names, {variable: proxy.url})


@contextmanager
def endpoints_of(stack, names: list[str], urls: dict[str, str]) -> Iterator[None]:
    """Gives functions other endpoints for a while. MiniStack replaces AWS_ENDPOINT_URL of a function by its own, and leaves
    those of single services alone."""
    before = {name: environment(stack, name) for name in names}
    try:
        for name in names:
            configure(stack, name, {**before[name], **urls})
        yield
    finally:
        for name in names:
            configure(stack, name, before[name])


def ours(page: dict) -> list[str]:
    names = (function["FunctionName"] for function in page["Functions"])
    return [name for name in names if name.startswith(FUNCTION_NAME_PREFIX)]


def environment(stack, name: str) -> dict[str, str]:
    configuration = stack.functions.get_function_configuration(FunctionName=name)
    return configuration.get("Environment", {}).get("Variables", {})


def configure(stack, name: str, variables: dict[str, str]) -> None:
    stack.set_variables(name, variables)
    stack.functions.get_waiter("function_updated_v2").wait(FunctionName=name)
