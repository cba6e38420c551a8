"""Waiting for something, with a generous end and words for when it comes to that."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Each look costs the stack time: what takes longer is looked at less often.
PAUSE_GROWTH = 1.25
MAX_PAUSE_SECONDS = 0.5
# Something that hangs fails its test; something that is slow on a busy machine still ends.
MAX_WAIT_SECONDS = 300


def wait_for(what: str, look: Callable[[], T], seconds: float = MAX_WAIT_SECONDS, pause: float = 0.05) -> T:
    """Calls `look` until it returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)
        pause = max(pause, min(pause * PAUSE_GROWTH, MAX_PAUSE_SECONDS))
