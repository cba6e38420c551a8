"""Problems of a request by the model of its service: botocore's own validation, and the rules of the model that botocore
leaves to the server: maximum, pattern and enum."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import Shape
from botocore.validate import ParamValidator

from .parameters import NUMBERS
from .parser import AwsRequest

MAX_SHOWN_CHARACTERS = 100
unchecked_patterns: set[str] = set()
"""Patterns that Python's regular expressions do not have, such as those with classes of Unicode."""

_validator = ParamValidator()


def problems_of(request: AwsRequest) -> list[str]:
    """Returns what AWS would refuse in a request before it does anything."""
    shape = request.operation.input_shape
    if shape is None:
        return [f"{request.name} takes no parameters"] if request.parameters else []
    report = _validator.validate(request.parameters, shape)
    reported = report.generate_report().splitlines() if report.has_errors() else []
    return [f"{request.name}: {problem}" for problem in [*reported, *broken_rules(request.parameters, shape, "")]]


def broken_rules(value: Any, shape: Shape, name: str) -> Iterator[str]:
    kind, rules = shape.type_name, shape.metadata
    if kind == "structure" and isinstance(value, dict):
        for key, item in value.items():
            if key in shape.members:
                yield from broken_rules(item, shape.members[key], f"{name}.{key}".lstrip("."))
    elif kind == "list" and isinstance(value, list):
        yield from broken_size(len(value), rules, name, "items")
        for place, item in enumerate(value):
            yield from broken_rules(item, shape.member, f"{name}[{place}]")
    elif kind == "map" and isinstance(value, dict):
        yield from broken_size(len(value), rules, name, "entries")
        for key, item in value.items():
            yield from broken_rules(key, shape.key, f"key of {name}")
            yield from broken_rules(item, shape.value, f"{name}.{key}")
    elif kind == "string" and isinstance(value, str):
        yield from broken_size(len(value), rules, name, "characters")
        if rules.get("enum") and value not in rules["enum"]:
            yield f"{name}: {shown(value)} is none of {', '.join(rules['enum'])}"
        if "pattern" in rules and not fits(value, rules["pattern"]):
            yield f"{name}: {shown(value)} does not match {rules['pattern']}"
    elif kind == "blob" and isinstance(value, bytes):
        yield from broken_size(len(value), rules, name, "bytes")
    elif kind in NUMBERS and isinstance(value, int | float):
        yield from broken_range(value, rules, name)


def broken_range(value: float, rules: dict, name: str) -> Iterator[str]:
    if not rules.get("min", value) <= value <= rules.get("max", value):
        yield f"{name}: {value} is not between {rules.get('min')} and {rules.get('max')}"


def broken_size(size: int, rules: dict, name: str, unit: str) -> Iterator[str]:
    if not rules.get("min", size) <= size <= rules.get("max", size):
        yield f"{name} has {size} {unit}, not between {rules.get('min', 0)} and {rules.get('max')}"


def fits(text: str, pattern: str) -> bool:
    compiled = compiled_pattern(pattern)
    return compiled is None or compiled.fullmatch(text) is not None


@cache
def compiled_pattern(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        unchecked_patterns.add(pattern)
        return None


def shown(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…")
