"""Listens to the requests of functions to Bedrock, which go to the simulator and not through MiniStack.

A tap is a port that passes all bytes on as they come, in both directions, so that answers that hang, break off or come late
reach the function as the simulator sends them. Requests are parsed from a copy of what the function sends.
"""

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from .parser import HttpRequest

CHUNK_BYTES = 64 * 1024
MAX_HEADER_BYTES = 64 * 1024
HEADER_END = b"\r\n\r\n"


class RequestReader:
    """Finds the requests in the bytes that a client sends over one connection. `seen` gets each complete one."""

    def __init__(self, seen: Callable[[HttpRequest], None]):
        self._seen = seen
        self._buffer = bytearray()
        self._is_lost = False

    def feed(self, data: bytes) -> None:
        if self._is_lost:
            return
        self._buffer += data
        while (end := self._buffer.find(HEADER_END)) >= 0:
            request = head_of(bytes(self._buffer[:end]))
            if request is None or "transfer-encoding" in request.headers:
                self.lose(request)
                return
            total = end + len(HEADER_END) + int(request.headers.get("content-length", 0))
            if len(self._buffer) < total:
                return
            request.body = bytes(self._buffer[end + len(HEADER_END) : total])
            del self._buffer[:total]
            self._seen(request)
        if len(self._buffer) > MAX_HEADER_BYTES:
            self.lose(None)

    def lose(self, request: HttpRequest | None) -> None:
        """Gives up on the connection, and says so: `parse` finds nothing in this request."""
        self._is_lost = True
        self._seen(request or HttpRequest("?", "not HTTP/1.1 with a length", "", {}))


def head_of(head: bytes) -> HttpRequest | None:
    first, *lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"([A-Z]+) (\S+) HTTP/1\.1", first)
    if match is None:
        return None
    path, _, query = match[2].partition("?")
    pairs = (line.partition(":") for line in lines)
    return HttpRequest(match[1], path, query, {name.strip().lower(): value.strip() for name, _, value in pairs})


class Taps:
    """One tap per address, from one thread. `seen` is called for each request."""

    def __init__(self, seen: Callable[[HttpRequest], None]):
        self._seen = seen
        self._urls: dict[str, str] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()

    def start(self) -> None:
        threading.Thread(target=self._loop.run_forever, name="taps", daemon=True).start()

    def url(self, target: str) -> str:
        """Returns the address of the tap of `target`, which is opened when it is needed first."""
        with self._lock:
            if target not in self._urls:
                opened = asyncio.run_coroutine_threadsafe(self._open(target), self._loop)
                self._urls[target] = opened.result(timeout=10)
            return self._urls[target]

    async def _open(self, target: str) -> str:
        address = urlsplit(target)

        async def connected(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
            try:
                server, to_server = await asyncio.open_connection(address.hostname, address.port)
            except OSError:
                to_client.transport.abort()
                return
            reader = RequestReader(self._seen)
            await asyncio.gather(pump(client, to_server, reader.feed), pump(server, to_client))

        listening = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=256)
        return f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, look: Callable[[bytes], None] | None = None):
    """Passes bytes on until the source ends. What ends with an error ends the other side with one."""
    try:
        while data := await source.read(CHUNK_BYTES):
            target.write(data)
            await target.drain()
            if look is not None:
                look(data)
        target.close()
    except OSError:
        # With no time to linger, closing resets, as the other side was.
        target.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        target.transport.abort()
