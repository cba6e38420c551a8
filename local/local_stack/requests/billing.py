"""What AWS bills by number or by time, beside requests: transitions of state machines, and invocations of functions.

Transitions are the states that are entered and the retries of tasks. The time of a function is that of the processor: on a
machine that does other work, the time that passes says little, and on Lambda it depends on the share of a processor that the
function has.
"""

import os
from pathlib import Path

from ministack.core import lambda_runtime
from ministack.services import stepfunctions

from .record import Record

TRANSITIONS = "transitions"
INVOCATIONS = "invocations"
CPU_SECONDS = "cpu_seconds"
# Tasks are counted by their attempts.
HANDLERS = ("_execute_pass", "_execute_choice", "_execute_wait", "_execute_parallel", "_execute_map")
EVENTS = {"TaskScheduled", "SucceedStateEntered", "FailStateEntered"}
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process) -> float:
    """Returns the processor time of a process so far, or 0 if it is not running or if the system does not tell."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, AttributeError):
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def install(record: Record) -> None:
    add_event, invoke = stepfunctions._add_event, lambda_runtime.ProvidedWorker.invoke

    def counted_add_event(execution, event_type, details=None):
        if event_type in EVENTS:
            record.count(TRANSITIONS)
        return add_event(execution, event_type, details)

    def counted(handler):
        def execute(*arguments):
            record.count(TRANSITIONS)
            return handler(*arguments)

        return execute

    def counted_invoke(worker, *arguments, **options):
        process, before = worker._proc, cpu_seconds(worker._proc)
        try:
            return invoke(worker, *arguments, **options)
        finally:
            # A process that was started for the invocation has its start in the time, as a cold start is billed.
            spent = cpu_seconds(worker._proc) - (before if worker._proc is process else 0)
            record.count(f"{INVOCATIONS} {worker.func_name}")
            record.count(f"{CPU_SECONDS} {worker.func_name}", spent)

    stepfunctions._add_event = counted_add_event
    for name in HANDLERS:
        setattr(stepfunctions, name, counted(getattr(stepfunctions, name)))
    lambda_runtime.ProvidedWorker.invoke = counted_invoke
