"""What is played: all of it follows from a seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import overwritten
import pyarrow as pa

from stack.chaos import FAULTS, Chaos, play, play_pipeline
from stack.deployed import Stack
from stack.faults import HUNG_CALLS, FaultyProxy, Plan, functions_through
from stack.inputs import parquet_bytes
from stack.lossless import assert_lossless, assert_lossless_stages
from stack.pictures import put_folder
from stack.shapes import (
    Shape,
    embeddings,
    expanded,
    pictures,
    repeated_topics,
    shared_requests,
    single,
    stages_of_pictures,
)


@dataclass
class Played:
    """A scenario that has ended, and what is still to be checked of it."""

    chaos: Chaos
    checks: list[Callable[[], object]]


@dataclass(frozen=True)
class Scenario:
    seed: int
    kind: str
    description: str
    play: Callable[[Stack], Played]

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.kind}: {self.description}"


def scenario(seed: int) -> Scenario:
    chance = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    return Scenario(seed, kind, *PLAYERS[kind](seed, chance))


Play = tuple[str, Callable[[Stack], Played]]


# --- parts of scenarios ---


def rates(chance: random.Random) -> dict:
    """Some faults less often than usual, some more often, some not at all."""
    usual = {name: rate for name, rate in FAULTS.items() if isinstance(rate, float)}
    return {**FAULTS, **{name: min(0.9, rate * chance.choice([0, 0.5, 1, 2])) for name, rate in usual.items()}}


def fields_of(chance: random.Random, rows: int, modes: tuple[str, ...] = ("auto", "auto", "auto", "batch")) -> dict:
    mode = chance.choice(modes)
    # In batch alone, any number of rows must make jobs of 100 at least.
    smallest = 200 if mode == "batch" else 100
    return {
        "processing_mode": mode,
        "max_records_per_job": chance.choice([smallest, 250, 1000] if rows < 2500 else [500, 1000]),
        "max_retry_rounds": chance.randint(0, 4),
        "max_concurrent_jobs": chance.randint(1, 5),
    }


def interruptions_of(chance: random.Random) -> tuple[str, ...]:
    count = chance.choices([0, 1, 2], [4, 3, 2])[0]
    return tuple(chance.choice(["resume", "collect", "stop"]) for _ in range(count))


def size_of(chance: random.Random, largest: float = 40) -> int:
    """As many small inputs as large ones."""
    return round(150 * largest ** chance.random())


def run_of(make: Callable[[random.Random], tuple[Shape, dict]], largest: float = 40) -> Callable:
    """Scenarios of single runs over tables of this shape."""

    def planned(seed: int, chance: random.Random) -> Play:
        shape, own = make(random.Random(seed))
        fields = fields_of(chance, len(shape.rows)) | own
        faults, interruptions = rates(chance), interruptions_of(chance)

        def run(stack: Stack) -> Played:
            rows = stack.put_input(shape.csv_input)
            return run_under(stack, seed, stack.joke(rows, **fields), shape, faults, interruptions)

        shown = {name: value for name, value in fields.items() if isinstance(value, (int, str))}
        return f"{len(shape.rows)} rows, {interruptions}, {shown}", run

    return planned


def run_under(
    stack: Stack, seed: int, wanted: dict, shape: Shape, faults: dict, interruptions: tuple[str, ...] = (), **options
) -> Played:
    check_collected = partial(assert_lossless, rows=shape, was_collected=True)
    chaos = play(stack, wanted, seed, faults, interruptions, on_collected=check_collected, **options)
    return Played(chaos, [partial(assert_lossless, chaos.run, shape)])


# --- kinds of runs over tables ---


def of_topics(chance: random.Random) -> tuple[Shape, dict]:
    rows = size_of(chance)
    return single(repeated_topics(rows, chance.choice([0, 0, rows // 10])))


def of_requests_on_demand(chance: random.Random) -> tuple[Shape, dict]:
    rows = size_of(chance, 8)
    shape, fields = single(repeated_topics(rows, chance.choice([0, rows // 10])))
    return shape, fields | {"processing_mode": "realtime"}


def of_embeddings(chance: random.Random) -> tuple[Shape, dict]:
    rows = size_of(chance, 10)
    return embeddings(repeated_topics(rows, chance.choice([0, rows // 10])))


def of_expanded(chance: random.Random, is_wide: bool) -> tuple[Shape, dict]:
    rows = size_of(chance, 12)
    return expanded(repeated_topics(rows, chance.choice([0, rows // 10])), is_wide)


def of_shared_requests(chance: random.Random) -> tuple[Shape, dict]:
    per_request = chance.randint(2, 7)
    rows = per_request * size_of(chance, 5)
    return shared_requests(repeated_topics(rows, chance.choice([0, rows // 10])), per_request)


# --- other kinds ---


def images(seed: int, chance: random.Random) -> Play:
    """A folder of pictures, or a table that names them."""
    count, is_folder = size_of(chance, 4), chance.random() < 0.5
    different = count - chance.choice([0, count // 10])
    fields, faults = fields_of(chance, count), rates(chance)
    interruptions = interruptions_of(chance)

    def run(stack: Stack) -> Played:
        uri, drawn = put_folder(stack, count, different)
        if is_folder:
            shape, own = pictures(drawn)
        else:
            paths = list(drawn)
            table = pa.table({"image_path": paths, "sku": [f"S{number}" for number in range(count)]})
            shape, own = pictures(drawn, table)
            uri = stack.put_input(parquet_bytes(table, row_group_size=100), "rows.parquet")
        return run_under(stack, seed, stack.joke(uri, **fields, **own), shape, faults, interruptions)

    return f"{count} pictures, {different} different, in a {'folder' if is_folder else 'table'}, {interruptions}", run


def pipeline(seed: int, chance: random.Random) -> Play:
    """Three stages over pictures, which may be stopped."""
    count = size_of(chance, 2.5)
    different = count - chance.choice([0, count // 10])
    stops_after = chance.choice([None, chance.uniform(1, 20)])
    faults = rates(chance)

    def run(stack: Stack) -> Played:
        folder, drawn = put_folder(stack, count, different)
        stages = stages_of_pictures(drawn, folder)
        chaos = play_pipeline(stack, stages.config, seed, faults, stops_after)
        return Played(chaos, [partial(assert_lossless_stages, stages, chaos.runs)])

    return f"{count} pictures, {different} different, stopped after {stops_after} s", run


def late(seed: int, chance: random.Random) -> Play:
    """Answers appear some time after the end of their job, within the time that the stack waits for them."""
    shape, own = of_topics(chance)
    fields = fields_of(chance, len(shape.rows)) | own
    faults = rates(chance) | {"output_delay_seconds": chance.uniform(0.3, 4)}

    def run(stack: Stack) -> Played:
        rows = stack.put_input(shape.csv_input)
        return run_under(stack, seed, stack.joke(rows, **fields), shape, faults)

    return f"{len(shape.rows)} rows, {faults['output_delay_seconds']:.1f} s late", run


# Services that runs need, and the share of their calls that hang: seldom enough that no step uses up its retries.
HANGING = {
    "S3": ("AWS_ENDPOINT_URL", 0.03),
    "DYNAMODB": ("AWS_ENDPOINT_URL", 0.03),
    "SFN": ("AWS_ENDPOINT_URL", 0.3),
    "BEDROCK": ("AWS_ENDPOINT_URL_BEDROCK", 0.15),
}
# Services that the email of a pipeline needs.
HANGING_EMAILS = {"SNS": ("AWS_ENDPOINT_URL", 0.4), "SECRETS_MANAGER": ("AWS_ENDPOINT_URL", 0.4)}


def hung(seed: int, chance: random.Random) -> Play:
    """Calls to one service are accepted and never answered, or answered by half."""
    service = chance.choice([*HANGING, *HANGING_EMAILS])
    endpoint, share = {**HANGING, **HANGING_EMAILS}[service]
    count = chance.randint(150, 450)
    faults = {"record_error_rate": 0.04, "record_error_permanent_share": 0.2}

    def run(stack: Stack) -> Played:
        plan = Plan(HUNG_CALLS, seed, share)
        with (
            FaultyProxy(stack.environment[endpoint], plan) as proxy,
            functions_through(stack, f"AWS_ENDPOINT_URL_{service}", proxy),
        ):
            played = with_email(stack) if service in HANGING_EMAILS else without_email(stack)
        played.chaos.refused.update({f"{service} {fault}": calls for fault, calls in plan.injected.items()})
        return played

    def without_email(stack: Stack) -> Played:
        shape, own = single(repeated_topics(count, count // 10))
        wanted = stack.joke(stack.put_input(shape.csv_input), max_records_per_job=150, max_retry_rounds=1, **own)
        return run_under(stack, seed, wanted, shape, faults, kills=False)

    def with_email(stack: Stack) -> Played:
        folder, drawn = put_folder(stack, 120, different=110)
        stages = stages_of_pictures(drawn, folder)
        chaos = play_pipeline(stack, stages.config, seed, faults, kills=False)
        assert stack.mailbox.about(chaos.run.name).links, "the email came, with links"
        return Played(chaos, [partial(assert_lossless_stages, stages, chaos.runs)])

    return f"calls to {service}", run


def overwrites(seed: int, chance: random.Random) -> Play:
    plan = overwritten.plan(chance)
    faults = rates(chance)

    def run(stack: Stack) -> Played:
        chaos, checks = overwritten.play(stack, seed, plan, faults)
        return Played(chaos, checks)

    return str(plan), run


PLAYERS: dict[str, Callable[[int, random.Random], Play]] = {
    "table": run_of(of_topics),
    "on demand": run_of(of_requests_on_demand),
    "embeddings": run_of(of_embeddings),
    "expanded": run_of(partial(of_expanded, is_wide=False)),
    "wide": run_of(partial(of_expanded, is_wide=True)),
    "shared requests": run_of(of_shared_requests),
    "images": images,
    "pipeline": pipeline,
    "late answers": late,
    "hung calls": hung,
    "overwritten uploads": overwrites,
}
KINDS = tuple(PLAYERS)
