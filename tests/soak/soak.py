"""Plays scenarios among random faults for a long time; see README.md. Ends with tables, and with 1 if anything was lost."""

import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests" / "e2e"), str(REPOSITORY / "local"), str(REPOSITORY / "tests" / "soak")]
os.environ.setdefault("E2E_STATE_DIR", str(REPOSITORY / ".local" / "soak"))

from scenarios import KINDS, Scenario, scenario  # noqa: E402

from local_stack.terminal import say  # noqa: E402
from stack.chaos import Hung  # noqa: E402
from stack.deployed import Stack  # noqa: E402
from stack.local import bring_up, missing_rights, take_down  # noqa: E402
from stack.lossless import Lossy  # noqa: E402
from stack.recorded import write_record  # noqa: E402


@dataclass
class Totals:
    """Counts by kind, or of all kinds."""

    scenarios: int = 0
    rows: int = 0
    seconds: float = 0.0
    interrupted: Counter = field(default_factory=Counter)
    jobs: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    killed: Counter = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    hung: int = 0
    broken: int = 0
    """Scenarios in which a run failed, or another promise was broken."""

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.hung or self.broken)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})


def play(stack: Stack, wanted: Scenario) -> Totals:
    """Plays a scenario and checks it; what is not as it should be is shown, with its place."""
    totals = Totals(scenarios=1)
    begin = time.monotonic()
    try:
        played = wanted.play(stack)
        chaos = played.chaos
        say(f"   {chaos}")
        totals.interrupted, totals.killed, totals.refused = chaos.interrupted, chaos.killed, chaos.refused
        totals.jobs = Counter(job["status"] for run in chaos.runs for job in run.jobs)
        for check in played.checks:
            check()
        totals.rows = sum(run.summary["records_in"] for run in chaos.runs if run.end["status"] == "SUCCEEDED")
    except Lossy as error:
        totals.lost, totals.doubled = len(error.lost), len(error.doubled)
        show(error)
    except Hung as error:
        totals.hung = 1
        show(error)
    except Exception as error:
        totals.broken = 1
        show(error)
    totals.seconds = time.monotonic() - begin
    return totals


def show(error: Exception) -> None:
    ours = [place for place in traceback.extract_tb(error.__traceback__) if str(REPOSITORY) in place.filename]
    places = ", ".join(f"{Path(place.filename).name}:{place.lineno}" for place in ours[-3:])
    say(f"   NOT AS IT SHOULD BE ({places}): {type(error).__name__}: {str(error)[:2000]}")


def tables(by_kind: dict[str, Totals], seeds: dict[int, Totals]) -> str:
    total = sum(by_kind.values(), Totals())
    columns = ("scenarios", "rows", "lost", "doubled", "hung", "broken")
    rows: list[tuple[str, ...]] = [("kind", *columns, "seconds each")]
    for kind, one in [*by_kind.items(), ("all", total)]:
        each = f"{one.seconds / one.scenarios:.0f}" if one.scenarios else ""
        rows.append((kind, *(str(getattr(one, name)) for name in columns), each))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    for name in ("interrupted", "jobs", "killed", "refused"):
        counts: Counter = getattr(total, name)
        lines.append(f"{name}: {', '.join(f'{what} {count}' for what, count in sorted(counts.items())) or 'none'}")
    lines.append(f"seeds: {' '.join(map(str, seeds))}")
    bad = [str(seed) for seed, one in seeds.items() if not one.is_clean]
    if bad:
        lines.append(f"not as they should be, to be repeated with SOAK_SEED: {' '.join(bad)}")
    return "\n".join(lines)


def kinds_to_play() -> list[str]:
    wanted = [kind.strip() for kind in (os.environ.get("SOAK_KINDS") or ",".join(KINDS)).split(",")]
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        sys.exit(f"SOAK_KINDS names {unknown}: the kinds are {', '.join(KINDS)}")
    return wanted


def seeds_to_play() -> Iterator[int]:
    """The seed of SOAK_SEED, once; or random ones for each kind in turn. A seed decides the kind too."""
    only = os.environ.get("SOAK_SEED")
    if only:
        yield int(only)
        return
    system = random.SystemRandom()
    while True:
        for kind in kinds_to_play():
            yield system.randrange(2**31 // len(KINDS)) * len(KINDS) + KINDS.index(kind)


def main() -> int:
    # If it is terminated, it shows its tables and takes the stack down, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    by_kind = {kind: Totals() for kind in KINDS}
    seeds: dict[int, Totals] = {}
    missing: list[str] = []
    to_play = seeds_to_play()
    try:
        stack = Stack(bring_up())
        # Before anything is sent.
        assert stack.mailbox
        end = time.monotonic() + float(os.environ.get("SOAK_SECONDS") or 3600)
        for seed in to_play:
            if time.monotonic() > end:
                break
            wanted = scenario(seed)
            say(f"{len(seeds) + 1}. {wanted}")
            seeds[seed] = play(stack, wanted)
            by_kind[wanted.kind] += seeds[seed]
            stack.simulator.behave_well()
    except KeyboardInterrupt:
        say("stopped")
    finally:
        # Before the stack goes down: if that fails, the figures of an hour are not lost.
        say(tables(by_kind, seeds))
        if seeds:
            missing = missing_rights()
            say(f"requests that no role allows: {'; '.join(missing) or 'none'}")
            invalid = write_record(stack)["invalid"]
            say(f"requests that are not valid by botocore's models: {'; '.join(invalid) or 'none'}")
            missing += invalid
        take_down()
    return 0 if all(one.is_clean for one in seeds.values()) and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
