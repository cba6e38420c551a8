"""A stack for the whole session, scenarios in the background, and misbehaviour that ends with its test."""

import os
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from stack.deployed import Stack
from stack.local import bring_up, denials, take_down

pytest.register_assert_rewrite("stack.checks", "stack.lossless", "stack.evidence")

# Modules in the background at the same time: more would only wait for each other on a small machine.
MAX_CONCURRENT_MODULES = 4


def pytest_collection_modifyitems(items):
    """Moves the tests that need the stack for themselves to the end."""
    items.sort(key=lambda item: bool({"misbehaving", "played_alone"} & set(item.fixturenames)))


@pytest.fixture(scope="session")
def stack():
    # The user's profile, endpoints and credentials must not affect the tests.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    try:
        stack = Stack(bring_up())
        # Requests of an earlier session, if the stack was kept up.
        stack.simulator.forget()
        # Before anything is sent.
        assert stack.mailbox
        yield stack
        denied = denials()
        assert not denied, "functions have every right that they use:\n" + "\n".join(denied)
    finally:
        if os.environ.get("E2E_KEEP_STACK") != "1":
            take_down()


@pytest.fixture(scope="session")
def in_background(stack, request):
    """The future result of `play` by module."""
    modules = {item.module.__name__: item.module for item in request.session.items if hasattr(item.module, "play")}
    pool = ThreadPoolExecutor(MAX_CONCURRENT_MODULES)
    yield {name: pool.submit(module.play, stack) for name, module in modules.items()}
    pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def played(in_background, request):
    """The result of this module's `play`."""
    return in_background[request.module.__name__].result()


@pytest.fixture
def misbehaving(stack, in_background):
    """Makes the simulator misbehave, with nothing else on the stack, until the end of the test."""
    wait(in_background.values())
    yield stack.simulator.behave
    end_misbehaviour(stack)


@pytest.fixture(scope="module")
def played_alone(stack, in_background, request):
    """The result of this module's `play_alone`, which may make the simulator misbehave, with nothing else on the stack."""
    wait(in_background.values())
    try:
        yield request.module.play_alone(stack)
    finally:
        end_misbehaviour(stack)


def end_misbehaviour(stack):
    stack.simulator.behave_well()
    stack.wait_until_no_job_is_open()
