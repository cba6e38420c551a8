"""Ports for the local stack."""

import socket


def choose_port(usual: int, *taken: int) -> int:
    """The usual port if it is free, else any free one."""
    if usual not in taken and is_free(usual):
        return usual
    return any_port()


def any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    # Both addresses: something that listens on all interfaces would not be seen by a bind to one of them everywhere.
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
