"""Runs under all faults at once: Bedrock misbehaves, events get lost, functions die."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
from botocore.exceptions import ClientError

from stack.contract import PREFIXES, function_name
from stack.inputs import csv_text
from stack.killer import Killer
from stack.run import Run
from stack.waiting import wait_for

FAULTS = {
    "record_error_rate": 0.02,
    "record_error_permanent_share": 0.3,
    "partial_rate": 0.15,
    "expire_rate": 0.12,
    "fail_rate": 0.12,
    "fail_message": "Internal error occurred. Please try again.",
    "event_lost_rate": 0.5,
    "event_duplicate_rate": 0.2,
    "event_delay_seconds": 1.0,
    "create_throttle_rate": 0.3,
    "read_throttle_rate": 0.1,
    "control_5xx_rate": 0.1,
    "invoke_throttle_rate": 0.1,
    "invoke_5xx_rate": 0.05,
}
# On demand, as fast as the local stack allows.
QUICK = {"requests_per_second": 500, "max_workers": 20}
# A run that hangs would hang for hours; one that is slow on a busy machine ends.
MAX_RUN_SECONDS = 400


@dataclass
class Chaos:
    """A run, and the faults that it met."""

    run: Run
    seconds: float = 0.0
    killed: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    """Calls that the simulator answered with an error, by operation and error."""
    aborted: int = 0
    """Number of times it was stopped and resumed."""

    def __str__(self) -> str:
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.killed.items()))
        refused = ", ".join(f"{name} {count}" for name, count in sorted(self.refused.items()))
        statuses = Counter(self.fates.values())
        return (
            f"{self.run.name}: {self.seconds:.1f} s; jobs {dict(statuses)}; killed {killed or 'none'}; "
            f"refused {refused or 'none'}; fates {self.fates}"
        )

    @property
    def fates(self) -> dict[str, str]:
        """The end of each batch job, by the name of its file of records. They follow from the seed."""
        return {job["inputS3Uri"].rpartition("/")[2]: job["status"] for job in self.run.jobs}


class Sweeper(threading.Thread):
    """Calls the reconciler every two seconds, as the schedule does every few minutes."""

    def __init__(self, stack, pause: float = 2.0):
        super().__init__(name="sweeper", daemon=True)
        self._stack, self._pause, self._enough = stack, pause, threading.Event()

    def __enter__(self) -> "Sweeper":
        self.start()
        return self

    def __exit__(self, *_):
        self._enough.set()
        self.join()

    def run(self) -> None:
        while not self._enough.wait(self._pause):
            try:
                # It may be killed like all others; the next sweep does its work.
                self._stack.functions.invoke(FunctionName=function_name("reconcile"), Payload=b"{}")
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("TooManyRequestsException", "ServiceException"):
                    raise


class Hung(AssertionError):
    """A run that does not end."""


def play(
    stack,
    table: pa.Table,
    seed: int,
    faults: dict | None = None,
    aborts: int = 0,
    first_victims: tuple[str, ...] = (),
    **fields,
) -> Chaos:
    """Plays a run over the table under faults that follow from the seed, and stops and resumes it `aborts` times.

    `first_victims` are functions that are killed before any others.
    """
    # Naming the seed starts its sequence anew, so the fates of this run do not depend on the runs before it.
    stack.simulator.behave(**(FAULTS if faults is None else faults), seed=seed)
    before = refusals(stack)
    begin = time.monotonic()
    wanted = stack.joke(stack.put_input(csv_text(table)), **{**QUICK, **fields})
    aborted = 0
    with Sweeper(stack), Killer(stack, seed, first_victims) as killer:
        run = stack.start(wanted, f"chaos-{seed}")
        chance = random.Random(seed)
        for _ in range(aborts):
            time.sleep(chance.uniform(0.5, 8))
            if stop(stack, run):
                run = resume(stack, run, wanted)
                aborted += 1
        wait_for_end(run)
    return Chaos(run, time.monotonic() - begin, killer.killed, refusals(stack) - before, aborted)


def wait_for_end(run: Run) -> None:
    try:
        wait_for(f"the end of {run.name}", lambda: run.status != "RUNNING", MAX_RUN_SECONDS)
    except AssertionError as error:
        raise Hung(f"{error}; its jobs: {[(job['jobName'], job['status']) for job in run.jobs]}") from None


def stop(stack, run: Run) -> bool:
    """Stops a run; returns false if it has ended already."""
    if run.status == "RUNNING":
        stack.step_functions.stop_execution(executionArn=run.arn, error="Chaos", cause="stopped by the test")
        wait_for_end(run)
    return run.status == "ABORTED"


def resume(stack, run: Run, wanted: dict) -> Run:
    """Lets another execution resume a run that was stopped."""
    if not stack.keys(f"{PREFIXES['RUNS']}/{run.name}/plan.json"):
        # It had not written anything that could be resumed.
        return stack.start(wanted, run.name)
    execution = stack.start({"resume_run": run.name}, f"{run.name}-again")
    # Files, jobs and items are those of the run; its end is that of the execution that owns it.
    resumed = Run(stack, run.name)
    resumed.arn = execution.arn
    return resumed


def refusals(stack) -> Counter:
    calls = stack.simulator.request("GET", "/calls")["calls"]
    return Counter(
        {
            f"{operation} {outcome}": count
            for operation, outcomes in calls.items()
            for outcome, count in outcomes.items()
            if outcome != "ok"
        }
    )
