"""Runs under all faults at once: Bedrock misbehaves, events get lost, functions die."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial

from botocore.exceptions import ClientError

from stack.contract import PREFIXES, function_name
from stack.killer import Killer
from stack.pipeline import Pipeline
from stack.run import Run
from stack.simulator import is_over
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
    """A run or a pipeline, and the faults that it met."""

    run: Run
    runs: list[Run]
    """The run, or those of the stages."""
    seconds: float = 0.0
    killed: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    """Calls that the simulator answered with an error, by operation and error, and those that a proxy let hang."""
    interrupted: Counter = field(default_factory=Counter)
    """Stops of executions, by what came after them: `resume`, `collect`, or `start` if nothing could be resumed."""

    def __str__(self) -> str:
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.killed.items()))
        refused = ", ".join(f"{name} {count}" for name, count in sorted(self.refused.items()))
        statuses = Counter(self.fates.values())
        return (
            f"{self.run.name}: {self.seconds:.1f} s; jobs {dict(statuses)}; interrupted {dict(self.interrupted)}; "
            f"killed {killed or 'none'}; refused {refused or 'none'}; fates {self.fates}"
        )

    @property
    def fates(self) -> dict[str, str]:
        """The end of each batch job, by the name of its file of records. They follow from the seed."""
        many = len(self.runs) > 1
        return {
            f"{f'stage {number} ' if many else ''}{job['inputS3Uri'].rpartition('/')[2]}": job["status"]
            for number, run in enumerate(self.runs)
            for job in run.jobs
        }


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


@contextmanager
def among_faults(
    stack, seed: int, faults: dict, first_victims: tuple[str, ...] = (), kills: bool = True
) -> Iterator[Chaos]:
    """Lets everything happen that follows from the seed, and counts it; `run` and `runs` are still to be set."""
    # Naming the seed starts its sequence anew, so the fates of this run do not depend on the runs before it.
    stack.simulator.behave(**faults, seed=seed)
    before = refusals(stack)
    begin = time.monotonic()
    chaos = Chaos(Run(stack, "not-started"), [])
    killer = Killer(stack, seed, first_victims)
    with Sweeper(stack), killer if kills else nullcontext():
        yield chaos
    chaos.killed, chaos.seconds = killer.killed, time.monotonic() - begin
    chaos.refused = refusals(stack) - before


def play(
    stack,
    wanted: dict,
    seed: int,
    faults: dict | None = None,
    interruptions: tuple[str, ...] = (),
    first_victims: tuple[str, ...] = (),
    on_collected: Callable[[Run], object] = lambda run: None,
    kills: bool = True,
) -> Chaos:
    """Plays a run of this execution input under faults that follow from the seed, and stops it once for each of the
    interruptions. After a stop another execution resumes it (`resume`), or one collects it and a further one resumes it
    (`collect`); `on_collected` looks at the run in between. Both happen once the run has begun; `stop` happens at any time, and
    what has not begun is started again."""
    wanted = {**QUICK, **wanted}
    with among_faults(stack, seed, FAULTS if faults is None else faults, first_victims, kills) as chaos:
        run = stack.start(wanted, f"chaos-{seed}")
        chance = random.Random(seed)
        for interruption in interruptions:
            if interruption != "stop":
                wait_for_plan(run)
            time.sleep(chance.uniform(0.5, 8))
            if not stop(stack, run):
                continue
            if not has_plan(stack, run):
                # It had not written anything that could be resumed.
                run = stack.start(wanted, run.run_id)
                chaos.interrupted["start"] += 1
                continue
            if interruption == "collect":
                on_collected(collected(stack, run))
            run = stack.resume(run)
            chaos.interrupted["collect" if interruption == "collect" else "resume"] += 1
        wait_for_end(run)
        chaos.run, chaos.runs = run, [run]
    return chaos


def play_pipeline(
    stack,
    wanted: dict,
    seed: int,
    faults: dict | None = None,
    stops_after: float | None = None,
    once_begun: bool = False,
    first_victims: tuple[str, ...] = (),
    kills: bool = True,
) -> Chaos:
    """Plays a pipeline under faults that follow from the seed. `stops_after` so many seconds, counted from its start or from
    that of its first stage (`once_begun`), its execution is stopped, and its stages are continued by hand, in the way that its
    email describes."""
    with among_faults(stack, seed, FAULTS if faults is None else faults, first_victims, kills) as chaos:
        pipeline = stack.start_pipeline(wanted, f"chaos-{seed}")
        runs = None
        if stops_after is not None:
            if once_begun:
                wait_for(f"the first stage of {pipeline.name}", partial(has_begun, stack, pipeline), MAX_RUN_SECONDS)
            time.sleep(stops_after)
            if stop(stack, pipeline):
                runs = continue_stages(stack, pipeline)
                chaos.interrupted["resume" if runs else "start"] += 1
                if runs is None:
                    pipeline = stack.start_pipeline(wanted, f"chaos-{seed}")
        if runs is None:
            wait_for_end(pipeline)
            assert pipeline.output, "it succeeded"
            runs = list(pipeline.stages.values())
        chaos.run, chaos.runs = pipeline, runs
    return chaos


def continue_stages(stack, pipeline: Pipeline) -> list[Run] | None:
    """Completes the stages of a stopped pipeline, one after the other; returns None if there is nothing to continue."""
    if not stack.keys(f"{PREFIXES['RUNS']}/{pipeline.name}/pipeline.json"):
        return None
    runs = []
    for number, stage in enumerate(pipeline.stages.values()):
        run, status = stage, status_of(stack, stage)
        if status == "RUNNING":
            # It is being stopped with its pipeline.
            wait_for_end(run)
            status = run.status
        if status is None:
            config = f"s3://{stack.bucket}/{PREFIXES['RUNS']}/{pipeline.name}/stages/{number}.json"
            run = stack.start_named({"config_s3_uri": config}, run.name)
        elif status != "SUCCEEDED":
            if not has_plan(stack, run):
                return None
            run = stack.resume(run)
        wait_for_end(run)
        assert run.output, "it succeeded"
        runs.append(run)
    return runs


def status_of(stack, run: Run) -> str | None:
    """The status of an execution, or None if it was never started."""
    try:
        return run.status
    except stack.step_functions.exceptions.ExecutionDoesNotExist:
        return None


def wait_for_end(run: Run) -> None:
    try:
        wait_for(f"the end of {run.name}", lambda: run.status != "RUNNING", MAX_RUN_SECONDS)
    except AssertionError as error:
        raise Hung(f"{error}; its jobs: {[(job['jobName'], job['status']) for job in run.jobs]}") from None


def wait_until_jobs_are_over(run: Run) -> None:
    try:
        wait_for(f"the end of the jobs of {run.name}", lambda: all(map(is_over, run.jobs)), MAX_RUN_SECONDS)
    except AssertionError as error:
        raise Hung(f"{error}: {[(job['jobName'], job['status']) for job in run.jobs]}") from None


def stop(stack, run: Run) -> bool:
    """Stops an execution; returns false if it has ended already."""
    if run.status == "RUNNING":
        stack.step_functions.stop_execution(executionArn=run.arn, error="Chaos", cause="stopped by the test")
        wait_for_end(run)
    return run.status == "ABORTED"


def wait_for_plan(run: Run) -> None:
    """Waits until a run has begun; it may be over by then."""
    wait_for(f"the plan of {run.name}", lambda: has_plan(run.stack, run) or run.status != "RUNNING", MAX_RUN_SECONDS)


def has_begun(stack, pipeline: Pipeline) -> bool:
    is_frozen = bool(stack.keys(f"{PREFIXES['RUNS']}/{pipeline.name}/pipeline.json"))
    return (is_frozen and has_plan(stack, next(iter(pipeline.stages.values())))) or pipeline.status != "RUNNING"


def has_plan(stack, run: Run) -> bool:
    return bool(stack.keys(f"{PREFIXES['RUNS']}/{run.run_id}/plan.json"))


def collected(stack, run: Run) -> Run:
    """Collects a run that was stopped, as soon as its jobs are over. A function that was at work when it was stopped may have
    created one since."""
    wait_until_jobs_are_over(run)
    deadline = time.monotonic() + MAX_RUN_SECONDS
    while True:
        execution = stack.collect(run)
        wait_for_end(execution)
        if execution.end["status"] == "SUCCEEDED" or "not over yet; try again" not in execution.end.get("cause", ""):
            return execution
        if time.monotonic() > deadline:
            raise Hung(f"jobs of {run.name} are never over: {execution.end['cause']}")
        time.sleep(2)


def refusals(stack) -> Counter:
    calls = stack.simulator.calls()
    return Counter(
        {
            f"{operation} {outcome}": count
            for operation, outcomes in calls.items()
            for outcome, count in outcomes.items()
            if outcome != "ok"
        }
    )
