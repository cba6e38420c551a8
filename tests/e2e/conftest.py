"""A stack for the whole session, scenarios in the background, and misbehaviour that ends with its test."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from stack.deployed import Stack
from stack.local import bring_up, missing_rights, take_down
from stack.recorded import forget_record, write_record

pytest.register_assert_rewrite("stack.checks", "stack.lossless", "stack.evidence")

# Modules in the background at the same time: more would only wait for each other on a small machine.
MAX_CONCURRENT_MODULES = 4


TOGETHER, ALONE = "together", ("alone-1", "alone-2")


def pytest_configure():
    # A session that is terminated, such as one beside another that was interrupted, takes its stack down too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption(
        "--part",
        choices=(TOGETHER, *ALONE),
        help="plays one half of the modules that need a stack for themselves, or all other modules; sessions can play the "
        "parts side by side",
    )


def pytest_collection_modifyitems(config, items):
    """Moves the tests that need the stack for themselves to the end, and deselects those of other parts."""
    items.sort(key=needs_the_stack_for_itself)
    part = config.getoption("--part")
    if part:
        modules = sorted({item.module.__name__ for item in items if is_alone(item)})
        parts = {name: ALONE[place % len(ALONE)] for place, name in enumerate(modules)}
        parts |= {item.module.__name__: item.module.PART for item in items if hasattr(item.module, "PART")}
        part_of = [parts[item.module.__name__] if is_alone(item) else TOGETHER for item in items]
        config.hook.pytest_deselected(items=[item for item, its in zip(items, part_of, strict=True) if its != part])
        items[:] = [item for item, its in zip(items, part_of, strict=True) if its == part]


def needs_the_stack_for_itself(item) -> bool:
    return bool({"misbehaving", "played_alone"} & set(item.fixturenames))


def is_alone(item) -> bool:
    """A test that looks at a scenario in the background is played where that is."""
    return needs_the_stack_for_itself(item) and not has_scenario(item.module)


def has_scenario(module) -> bool:
    """Returns true if the module itself, not what it imports, says what is played in the background."""
    return getattr(getattr(module, "play", None), "__module__", None) == module.__name__


@pytest.fixture(scope="session")
def stack():
    # The user's profile, endpoints and credentials must not affect the tests.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    forget_record()
    try:
        stack = Stack(bring_up())
        # Requests of an earlier session, if the stack was kept up.
        stack.simulator.forget()
        # Before anything is sent.
        assert stack.mailbox
        yield stack
        missing = missing_rights()
        assert not missing, "functions have every right that they use:\n" + "\n".join(missing)
        invalid = write_record(stack)["invalid"]
        assert not invalid, "requests are valid by botocore's models:\n" + "\n".join(invalid)
    finally:
        if os.environ.get("E2E_KEEP_STACK") != "1":
            take_down()


@pytest.fixture(scope="session")
def in_background(stack, request):
    """The future result of `play` by module."""
    modules = {item.module.__name__: item.module for item in request.session.items if has_scenario(item.module)}
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
