"""Prices of tokens, from the bundled table of models alone."""

import tomllib
from functools import cache

from stack.local import REPOSITORY

REGION_GROUPS = {"us", "eu", "apac", "global"}


@cache
def table() -> dict:
    return tomllib.loads((REPOSITORY / "crates" / "domain" / "models.toml").read_text())


def price_of(model_id: str, lane: str) -> tuple[float, float] | None:
    """US dollars per million tokens read and written; none if the table has no price."""
    name = model_id.rsplit("/", 1)[-1]
    profile, _, base = name.partition(".")
    if profile not in REGION_GROUPS:
        profile, base = "", name
    model = max((row for row in table()["model"] if base.startswith(row["id"])), key=lambda row: len(row["id"]))
    if "price" not in model:
        return None
    factor = table()["geo_surcharge"] if model.get("geo_surcharge") and profile != "global" else 1
    factor *= table()["batch_share_of_on_demand"] if lane == "batch" else 1
    return model["price"]["input"] * factor, model["price"]["output"] * factor


def cost_of(usage: dict[tuple[str, str], list[int]], lane: str | None = None) -> float | None:
    """The cost of `usage`: tokens read and written, by lane and model. `lane`: as if all had gone by this one."""
    total = 0.0
    for (used, model_id), (read, written) in usage.items():
        price = price_of(model_id, lane or used)
        if price is None:
            return None
        total += (read * price[0] + written * price[1]) / 1_000_000
    return total
