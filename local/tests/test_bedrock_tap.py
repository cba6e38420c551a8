"""The tap passes bytes on unchanged, and finds the requests in them."""

import socket
import threading

import pytest

from local_stack.requests.bedrock_tap import RequestReader, Taps
from local_stack.requests.parser import HttpRequest

FIRST = b"POST /model/m/converse?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
SECOND = b"GET /model-invocation-job/j HTTP/1.1\r\nAuthorization: k\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_requests_of_one_connection_are_found_however_their_bytes_arrive(size):
    seen: list[HttpRequest] = []
    reader = RequestReader(seen.append)
    stream = FIRST + SECOND + FIRST
    for start in range(0, len(stream), size):
        reader.feed(stream[start : start + size])
    assert [(request.method, request.path, request.query, request.body) for request in seen] == [
        ("POST", "/model/m/converse", "a=b", b"body"),
        ("GET", "/model-invocation-job/j", "", b""),
        ("POST", "/model/m/converse", "a=b", b"body"),
    ]
    assert seen[1].headers == {"authorization": "k"}


@pytest.mark.parametrize(
    "stream", [b"not HTTP\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"x" * 70_000]
)
def test_what_is_not_understood_is_reported_once(stream):
    seen: list[HttpRequest] = []
    reader = RequestReader(seen.append)
    reader.feed(stream)
    reader.feed(FIRST)
    assert len(seen) == 1


def server_that(serve) -> str:
    listening = socket.create_server(("127.0.0.1", 0))

    def accept():
        connection, _ = listening.accept()
        serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def seen() -> list[HttpRequest]:
    """The requests that the taps have found."""
    return []


@pytest.fixture
def taps(seen):
    taps = Taps(seen.append)
    taps.start()
    return taps


def connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_bytes_are_passed_on_in_both_directions(taps, seen):
    def echo(connection):
        connection.sendall(connection.recv(len(FIRST), socket.MSG_WAITALL).upper())
        connection.close()

    url = taps.url(target := server_that(echo))
    assert taps.url(target) == url
    with connect(url) as client:
        client.sendall(FIRST)
        assert client.recv(1000, socket.MSG_WAITALL) == FIRST.upper()
    assert [request.body for request in seen] == [b"body"]


def test_a_server_that_resets_resets_the_client(taps):
    def reset(connection):
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    with connect(taps.url(server_that(reset))) as client, pytest.raises(ConnectionResetError):
        client.sendall(FIRST)
        client.recv(1000)
        client.recv(1000)
