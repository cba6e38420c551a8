"""Services reuse running processes and end only those that they started."""

import json
import os
import subprocess
import sys

import pytest
from settings_for_tests import settings_in

from local_stack.ports import any_port, choose_port, is_free
from local_stack.processes import Service, started_at
from local_stack.settings import UserError

SERVER = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]


@pytest.fixture
def service(tmp_path):
    service = Service("server", settings_in(tmp_path), "/", start_seconds=60)
    yield service
    service.stop()


def ensure(service, port, version="1"):
    return service.ensure(port, [*SERVER, str(port)], dict(os.environ), version)


def test_a_running_process_is_reused(service):
    port = any_port()
    first = ensure(service, port)
    assert ensure(service, port) == first
    assert service.running() == first


def test_another_version_is_restarted_on_the_same_port(service):
    port = any_port()
    first = ensure(service, port)
    assert service.port() == port
    second = ensure(service, port, version="2")
    assert second["pid"] != first["pid"]
    assert started_at(first["pid"]) is None


def test_stopping_ends_the_process_and_can_be_repeated(service):
    record = ensure(service, any_port())
    assert service.stop()
    assert started_at(record["pid"]) is None
    assert not service.stop()


def test_another_process_with_a_reused_id_is_not_ended(service):
    port = any_port()
    record = ensure(service, port)
    record_file = service.settings.state / "server.pid"
    record_file.write_text(json.dumps({**record, "started_at": "an hour ago"}))
    assert service.running() is None
    assert not service.stop()
    assert started_at(record["pid"]) == record["started_at"]
    # Restore the record, so that the process is ended.
    record_file.write_text(json.dumps(record))
    assert service.stop()


def test_a_process_that_ends_immediately_is_reported_with_its_log(service):
    port = any_port()
    command = [sys.executable, "-c", "import sys; print('no such model'); sys.exit(3)"]
    with pytest.raises(UserError, match=r"server ended with status 3.*(?s:.)*no such model"):
        service.ensure(port, command, dict(os.environ), "1")
    assert service.running() is None


def test_ports_in_use_are_not_chosen():
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import socket, sys; server = socket.create_server(('127.0.0.1', 0)); "
            "print(server.getsockname()[1], flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        taken = int(holder.stdout.readline())
        assert not is_free(taken)
        assert choose_port(taken) != taken
        holder.stdin.close()


def test_the_preferred_port_is_chosen_if_it_is_free():
    port = any_port()
    assert choose_port(port) == port
    assert choose_port(port, port) != port
