"""A stack for the whole session, scenarios that play in the background, and misbehaviour that ends with its test."""

import os
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from stack.deployed import Stack
from stack.local import bring_up, take_down

pytest.register_assert_rewrite("stack.checks", "stack.lossless")

# Runs in the background at the same time: more only wait for each other on a small machine.
AT_ONCE = 4


def pytest_collection_modifyitems(items):
    """Those that need the stack for themselves come last."""
    items.sort(key=lambda item: bool({"misbehaving", "played_alone"} & set(item.fixturenames)))


@pytest.fixture(scope="session")
def stack():
    # A profile, endpoints or credentials of the user's have no part in this.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    try:
        stack = Stack(bring_up())
        # What a session before this one has asked of a stack that was kept up.
        stack.simulator.forget()
        # Before anything is sent.
        assert stack.mailbox
        yield stack
    finally:
        if os.environ.get("E2E_KEEP_STACK") != "1":
            take_down()


@pytest.fixture(scope="session")
def in_background(stack, request):
    """By module, what its `play` is going to return."""
    modules = {item.module.__name__: item.module for item in request.session.items if hasattr(item.module, "play")}
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {name: pool.submit(module.play, stack) for name, module in modules.items()}
    pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def played(in_background, request):
    """The result of this module's `play`."""
    return in_background[request.module.__name__].result()


@pytest.fixture
def misbehaving(stack, in_background):
    """Tells the simulator how to misbehave, with nothing else on the stack, until the end of the test."""
    wait(in_background.values())
    yield stack.simulator.behave
    end_misbehaviour(stack)


@pytest.fixture(scope="module")
def played_alone(stack, in_background, request):
    """The result of this module's `play_alone`: it may tell the simulator how to misbehave, with nobody else on the
    stack."""
    wait(in_background.values())
    try:
        yield request.module.play_alone(stack)
    finally:
        end_misbehaviour(stack)


def end_misbehaviour(stack):
    stack.simulator.behave_well()
    stack.wait_until_no_job_is_open()
