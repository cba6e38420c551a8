"""Kills functions of one stack, during their invocations and between them."""

import base64
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass

from stack.contract import END_OF_NAMES, FUNCTION_NAME_PREFIX
from stack.local import STATE

# The state machines retry a step three times after a crash, and a fourth crash of one step ends its run, as promised.
# With three kills per function no step can be hit four times, however slow the machine is.
MAX_KILLS = 3
# No run depends on a single invocation of these.
MAX_KILLS_OF = {"job-status": 10, "reconcile": 10}
# Younger ones may not serve yet, and are spared: a kill is to hit a function at work.
OLD_ENOUGH_SECONDS = 1.5


@dataclass(frozen=True)
class Process:
    pid: int
    function: str


class Killer(threading.Thread):
    """Kills functions until its end; `killed` counts them. The functions in `first` are hit before all others, once each: a
    test that expects one of them to die does not leave that to chance."""

    def __init__(self, stack, seed: int, first: tuple[str, ...] = (), longest_pause: float = 1.0):
        super().__init__(name="killer", daemon=True)
        self.killed: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._first = first
        self._longest_pause = longest_pause
        self._processes = Processes(stack)
        self._seen: dict[int, float] = {}
        self._enough = threading.Event()

    def __enter__(self) -> "Killer":
        self.start()
        return self

    def __exit__(self, *_):
        self._enough.set()
        self.join()

    def run(self) -> None:
        while not self._enough.wait(self._random.uniform(0.1, self._longest_pause)):
            victims = self.victims()
            if victims:
                # Chooses the function first and its process second, since some functions have many processes and others one.
                functions = sorted({victim.function for victim in victims})
                spared = [name for name in functions if name in self._first and not self.killed[name]]
                function = self._random.choice(spared or functions)
                victim = self._random.choice([victim for victim in victims if victim.function == function])
                os.kill(victim.pid, signal.SIGKILL)
                self.killed[function] += 1

    def victims(self) -> list[Process]:
        now = time.monotonic()
        running = self._processes.running()
        self._seen = {process.pid: self._seen.get(process.pid, now) for process in running}
        grown = (process for process in running if now - self._seen[process.pid] > OLD_ENOUGH_SECONDS)
        return [process for process in grown if self.may_kill(process)]

    def may_kill(self, process: Process) -> bool:
        return self.killed[process.function] < MAX_KILLS_OF.get(process.function, MAX_KILLS)


class Processes:
    """The processes of a stack's functions: children of its MiniStack, started from its directory."""

    def __init__(self, stack):
        self._functions = functions_by_directory(stack)
        self._ministack = json.loads((STATE / "ministack.pid").read_text())["pid"]

    def running(self) -> list[Process]:
        # Twice w: whole lines, whatever COLUMNS says.
        command = ["ps", "-axww", "-o", "pid=,ppid=,command="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        lines = ([*line.split(maxsplit=2), ""][:3] for line in listed.splitlines())
        children = ((int(pid), command) for pid, parent, command in lines if int(parent) == self._ministack)
        ours = ((pid, command.split("/")[-2]) for pid, command in children if command.startswith(str(STATE)))
        return [Process(pid, self._functions[code]) for pid, code in ours if code in self._functions]

    def of(self, function: str) -> list[Process]:
        return [process for process in self.running() if process.function == function]

    def kill(self, function: str) -> bool:
        """Kills all processes of a function; returns false if there are none."""
        victims = self.of(function)
        for process in victims:
            os.kill(process.pid, signal.SIGKILL)
        return bool(victims)


def functions_by_directory(stack) -> dict[str, str]:
    """MiniStack starts functions from directories that are named after the digests of their zips."""
    pages = stack.functions.get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    return {
        base64.b64decode(function["CodeSha256"]).hex(): short_name(function["FunctionName"])
        for function in functions
        if function["FunctionName"].startswith(FUNCTION_NAME_PREFIX)
    }


def short_name(function_name: str) -> str:
    """The name of a function in the contract."""
    return function_name.removeprefix(FUNCTION_NAME_PREFIX).removesuffix(END_OF_NAMES)
