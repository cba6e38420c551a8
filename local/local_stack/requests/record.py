"""The record of a session: each kind of call once, with an example, and each invalid request.

Runs of tests make tens of thousands of calls of a few hundred kinds. A kind is the caller, the action, and the resource without
the parts of its name that are different in each run. Policies are judged by the examples, whose resources are complete.
"""

import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

MAX_INVALID = 200
# Ids and numbers in names.
VARIABLE = re.compile(r"[0-9a-f]{8,}|\d+|(?<=model-invocation-job/).*|(?<=execution:).*")


@dataclass(frozen=True)
class Call:
    """A call as IAM judges it."""

    caller: str
    action: str
    resource: str
    context: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    denied: bool = False

    @property
    def kind(self) -> tuple:
        return self.caller, self.action, kind_of(self.resource), tuple(name for name, _ in self.context), self.denied

    def as_json(self) -> dict[str, Any]:
        context = {name: list(value) if isinstance(value, tuple) else value for name, value in self.context}
        return {
            "caller": self.caller,
            "action": self.action,
            "resource": self.resource,
            "context": context,
            "denied": self.denied,
        }


def kind_of(resource: str) -> str:
    """Returns what the resources of different runs have in common: for objects the first folder and the name of the file."""
    service, _, name = resource.partition(":::") if resource.startswith("arn:aws:s3:::") else (resource, "", "")
    if not name:
        return VARIABLE.sub("#", resource)
    bucket, *folders = name.split("/")
    return "/".join(
        [service, bucket, *folders[:1], str(len(folders)), VARIABLE.sub("#", folders[-1] if folders else "")]
    )


@dataclass
class Record:
    """Everything that was seen. Each method may be called by any thread."""

    calls: dict[tuple, Call] = field(default_factory=dict)
    invalid: dict[str, str] = field(default_factory=dict)
    """Invalid requests by their problem, with the caller that made the first."""
    counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Requests by caller and operation, and what else is billed (`billing.py`)."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call: Call) -> None:
        with self._lock:
            self.calls.setdefault(call.kind, call)

    def count(self, what: str, number: float = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def add_invalid(self, caller: str, problem: str) -> None:
        with self._lock:
            if len(self.invalid) < MAX_INVALID:
                self.invalid.setdefault(problem, caller)

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "calls": sorted((call.as_json() for call in self.calls.values()), key=str),
                "invalid": [f"{caller}: {problem}" for problem, caller in sorted(self.invalid.items())],
                "counts": dict(sorted(self.counts.items())),
            }
