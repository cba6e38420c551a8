"""Plays runs among random faults for a long time; see README.md. Ends with a table, and with 1 if anything was lost."""

import os
import random
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests" / "e2e"), str(REPOSITORY / "local")]
os.environ.setdefault("E2E_STATE_DIR", str(REPOSITORY / ".local" / "soak"))

import pyarrow as pa  # noqa: E402

from local_stack.terminal import say  # noqa: E402
from stack.chaos import FAULTS, Hung, play  # noqa: E402
from stack.deployed import Stack  # noqa: E402
from stack.inputs import topic_table  # noqa: E402
from stack.local import bring_up, take_down  # noqa: E402
from stack.lossless import Evidence, assert_lossless, tally  # noqa: E402


@dataclass(frozen=True)
class Scenario:
    """All that follows from a seed."""

    seed: int
    table: pa.Table
    faults: dict
    aborts: int
    fields: dict

    def __str__(self) -> str:
        return f"seed {self.seed}: {len(self.table)} rows, {self.aborts} aborts, {self.fields}"


def scenario(seed: int) -> Scenario:
    chance = random.Random(seed)
    mode = chance.choices(["auto", "batch", "realtime"], [6, 2, 1])[0]
    # As many small ones as large ones; on demand is slow.
    rows = round(150 * (40 if mode != "realtime" else 8) ** chance.random())
    repeated = chance.choice([0, 0, rows // 10])
    # Some faults less often than usual, some more often, some not at all.
    usual = {name: rate for name, rate in FAULTS.items() if isinstance(rate, float)}
    rates = {name: min(0.9, rate * chance.choice([0, 0.5, 1, 2])) for name, rate in usual.items()}
    # In batch alone, any number of rows must make jobs of 100 at least.
    smallest = 200 if mode == "batch" else 100
    fields = {
        "processing_mode": mode,
        "max_records_per_job": chance.choice([smallest, 250, 1000] if rows < 2500 else [500, 1000]),
        "max_retry_rounds": chance.randint(0, 4),
        "max_concurrent_jobs": chance.randint(1, 5),
    }
    table = topic_table(rows)
    table = pa.concat_tables([table, table.slice(0, repeated)])
    aborts = chance.choices([0, 1, 2], [5, 3, 1])[0]
    return Scenario(seed, table, {**FAULTS, **rates}, aborts, fields)


@dataclass
class Totals:
    runs: int = 0
    rows: int = 0
    aborts: int = 0
    jobs: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    killed: Counter = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    hung: int = 0
    broken: int = 0
    """Runs that failed, or that broke another promise."""
    seeds: list[int] = field(default_factory=list)
    """Those of runs that were not as they should be."""

    def play(self, stack: Stack, wanted: Scenario) -> None:
        self.runs += 1
        self.rows += len(wanted.table)
        say(f"{self.runs}. {wanted}")
        try:
            chaos = play(stack, wanted.table, wanted.seed, wanted.faults, wanted.aborts, **wanted.fields)
            say(f"   {chaos}")
            self.aborts += chaos.aborted
            self.killed += chaos.killed
            self.refused += chaos.refused
            self.jobs += Counter(job["status"] for job in chaos.run.jobs)
            assert chaos.run.output, "it succeeded"
            found = tally(chaos.run, Evidence(chaos.run), len(wanted.table))
            self.lost += len(found.lost)
            self.doubled += len(found.doubled)
            assert_lossless(chaos.run, wanted.table)
        except Hung as error:
            self.hung += 1
            self.note(wanted, error)
        except Exception as error:
            self.broken += 1
            self.note(wanted, error)

    def note(self, wanted: Scenario, error: Exception) -> None:
        self.seeds.append(wanted.seed)
        place = traceback.extract_tb(error.__traceback__)[-1]
        say(f"   NOT AS IT SHOULD BE ({place.filename}:{place.lineno}): {str(error)[:2000]}")

    def table(self) -> str:
        bad = {"rows lost": self.lost, "rows doubled": self.doubled, "runs hung": self.hung, "runs broken": self.broken}
        counted = {
            "runs": self.runs,
            "rows": self.rows,
            "aborts, resumed": self.aborts,
            **{f"jobs {name}": count for name, count in sorted(self.jobs.items())},
            **{f"refused {name}": count for name, count in sorted(self.refused.items())},
            **{f"killed {name}": count for name, count in sorted(self.killed.items())},
            **bad,
        }
        width = max(map(len, counted))
        return "\n".join(f"{name:<{width}} {count:>8}" for name, count in counted.items())


def main() -> int:
    seconds = float(os.environ.get("SOAK_SECONDS") or 3600)
    only = os.environ.get("SOAK_SEED")
    totals = Totals()
    end = time.monotonic() + seconds
    try:
        stack = Stack(bring_up())
        while time.monotonic() < end:
            totals.play(stack, scenario(int(only) if only else random.SystemRandom().randrange(2**31)))
            stack.simulator.behave_well()
            if only:
                break
    except KeyboardInterrupt:
        say("stopped")
    finally:
        take_down()
    say(totals.table())
    if totals.seeds:
        say(f"to be repeated with SOAK_SEED: {', '.join(map(str, totals.seeds))}")
    return 1 if totals.seeds or totals.lost or totals.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
