"""Choice of ports for the local stack."""

import random
import socket

# Below the ports that systems give to outgoing connections: such a connection could take a port after it was found to be
# free and before the process that it was chosen for listens.
PORTS = range(20_000, 30_000)


def choose_port(preferred: int, *taken: int) -> int:
    """Returns the preferred port if it is free, else any free one."""
    if preferred not in taken and is_free(preferred):
        return preferred
    return any_port()


def any_port() -> int:
    while not is_free(port := random.choice(PORTS)):
        pass
    return port


def is_free(port: int) -> bool:
    # Both addresses are tried: on some systems, binding to one interface succeeds although a process listens on all of them.
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
