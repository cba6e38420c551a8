"""AWS's own description of the API, as botocore carries it: what a value of each shape may be."""

import re
from datetime import datetime

from botocore.loaders import Loader

BEDROCK = Loader().load_service_model("bedrock", "service-2")
SERVICE_QUOTAS = Loader().load_service_model("service-quotas", "service-2")
RUNTIME = Loader().load_service_model("bedrock-runtime", "service-2")


def shape(model, name):
    return model["shapes"][name]


def operation(model, name):
    return model["operations"][name]


def error_status(model, name):
    return shape(model, name)["error"]["httpStatusCode"]


def problems(model, name, value, at=""):
    """Lists the constraints of a shape that a decoded JSON value breaks; unknown members are problems too."""
    spec = shape(model, name)
    kind = spec["type"]
    if kind == "structure":
        return structure_problems(model, spec, value, at)
    if kind == "list":
        if not isinstance(value, list):
            return [f"{at}: not a list"]
        found = length_problems(spec, value, at)
        for index, item in enumerate(value):
            found += problems(model, spec["member"]["shape"], item, f"{at}[{index}]")
        return found
    if kind == "string":
        return string_problems(spec, value, at)
    if kind == "boolean":
        return [] if isinstance(value, bool) else [f"{at}: not a boolean"]
    if kind in ("integer", "long"):
        if not isinstance(value, int) or isinstance(value, bool):
            return [f"{at}: not an integer"]
        low, high = spec.get("min", value), spec.get("max", value)
        return [] if low <= value <= high else [f"{at}: {value} not in {low}..{high}"]
    if kind == "double":
        return [] if isinstance(value, float) else [f"{at}: not a floating-point number"]
    if kind == "timestamp":
        assert spec["timestampFormat"] == "iso8601"
        return [] if is_time(value) else [f"{at}: {value} is no ISO 8601 time"]
    raise AssertionError(f"{at}: shape {name} of type {kind} is not known to this test")


def structure_problems(model, spec, value, at):
    if not isinstance(value, dict):
        return [f"{at}: not a structure"]
    if spec.get("document"):
        return []
    found = [f"{at}.{name}: required" for name in spec.get("required", []) if name not in value]
    if spec.get("union") and len(value) != 1:
        found.append(f"{at}: a union has one member, not {sorted(value)}")
    for name, member in value.items():
        if name in spec["members"]:
            found += problems(model, spec["members"][name]["shape"], member, f"{at}.{name}")
        else:
            found.append(f"{at}.{name}: not in the model")
    return found


def string_problems(spec, value, at):
    if not isinstance(value, str):
        return [f"{at}: not a string"]
    found = length_problems(spec, value, at)
    if "enum" in spec and value not in spec["enum"]:
        found.append(f"{at}: {value!r} not in {spec['enum']}")
    # Some patterns need exponential time in Python on long strings, whose length is wrong anyway.
    if not found and "pattern" in spec and not re.fullmatch(spec["pattern"], value, re.ASCII):
        found.append(f"{at}: {value!r} does not match {spec['pattern']}")
    return found


def length_problems(spec, value, at):
    low, high = spec.get("min", 0), spec.get("max", len(value))
    return [] if low <= len(value) <= high else [f"{at}: length {len(value)} not in {low}..{high}"]


def is_time(value):
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    except (AttributeError, ValueError):
        return False


def leaves(model, name, path=()):
    """Every member below a structure, as (path, shape name, whether its structure requires it)."""
    spec = shape(model, name)
    for member, reference in spec["members"].items():
        here = (*path, member)
        yield here, reference["shape"], member in spec.get("required", [])
        below = shape(model, reference["shape"])
        if below["type"] == "structure":
            yield from leaves(model, reference["shape"], here)
        elif below["type"] == "list":
            item = below["member"]["shape"]
            yield (*here, 0), item, False
            if shape(model, item)["type"] == "structure":
                yield from leaves(model, item, (*here, 0))
