"""Values of requests, in the types that botocore's validator expects. A value that has not the form of its shape stays as it
is, so that the validator reports it."""

import base64
import binascii
from typing import Any
from xml.etree.ElementTree import Element

from botocore.model import Shape

NUMBERS: dict[str, type] = {"integer": int, "long": int, "float": float, "double": float}


def wire_name(name: str, member: Shape) -> str:
    """Returns the name of a member in a request."""
    return member.serialization.get("name", name)


def from_json(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if value is None or getattr(shape, "is_document_type", False):
        return value
    if kind == "structure" and isinstance(value, dict):
        names = {wire_name(name, member): name for name, member in shape.members.items()}
        return {
            names.get(key, key): from_json(item, shape.members[names[key]]) if key in names else item
            for key, item in value.items()
            # A null is a member that was not sent.
            if item is not None
        }
    if kind == "map" and isinstance(value, dict):
        return {key: from_json(item, shape.value) for key, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [from_json(item, shape.member) for item in value]
    if kind == "blob" and isinstance(value, str):
        return from_base64(value)
    return value


def from_base64(text: str) -> Any:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return ["not base64"]


def from_text(values: list[str], shape: Shape) -> Any:
    """Returns the value of a path segment, a header or an item of a query."""
    if shape.type_name == "list":
        texts = values if len(values) > 1 else [text.strip() for text in values[0].split(",")]
        return [from_text([text], shape.member) for text in texts]
    text = values[0]
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if shape.type_name in NUMBERS:
        try:
            return NUMBERS[shape.type_name](text)
        except ValueError:
            return text
    return text


def from_query(fields: dict[str, str], shape: Shape, prefix: str = "") -> Any:
    """Returns the structure whose fields begin with the prefix, of the query protocol."""
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            own = prefix + wire_name(name, member)
            if any(key == own or key.startswith(f"{own}.") for key in fields):
                members[name] = from_query(fields, member, own if is_scalar(member) else f"{own}.")
        known = tuple(prefix + wire_name(name, member) for name, member in shape.members.items())
        unknown = [key for key in fields if key.startswith(prefix) and not key.startswith(known)]
        return members | dict.fromkeys(unknown, "?")
    if shape.type_name == "list":
        base = prefix if shape.serialization.get("flattened") else f"{prefix}member."
        return [item_of(fields, shape.member, f"{base}{place}") for place in places(fields, base)]
    if shape.type_name == "map":
        base = prefix if shape.serialization.get("flattened") else f"{prefix}entry."
        keys, values = (wire_name(name, part) for name, part in (("key", shape.key), ("value", shape.value)))
        return {
            fields[f"{base}{place}.{keys}"]: item_of(fields, shape.value, f"{base}{place}.{values}")
            for place in places(fields, base)
        }
    text = fields[prefix]
    return from_base64(text) if shape.type_name == "blob" else from_text([text], shape)


def item_of(fields: dict[str, str], shape: Shape, own: str) -> Any:
    return from_query(fields, shape, own if is_scalar(shape) else f"{own}.")


def is_scalar(shape: Shape) -> bool:
    return shape.type_name not in ("structure", "list", "map")


def places(fields: dict[str, str], base: str) -> list[int]:
    found = {key.removeprefix(base).partition(".")[0] for key in fields if key.startswith(base)}
    return sorted(int(place) for place in found)


def from_xml(element: Element, shape: Shape) -> Any:
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            found = [child for child in element if local_name(child) == wire_name(name, member)]
            if member.type_name == "list" and member.serialization.get("flattened"):
                own = member.serialization.get("name") or member.member.serialization.get("name", name)
                found = [child for child in element if local_name(child) == own]
                if found:
                    members[name] = [from_xml(child, member.member) for child in found]
            elif found:
                members[name] = from_xml(found[0], member)
        return members
    if shape.type_name == "list":
        return [from_xml(child, shape.member) for child in element]
    return from_text([element.text or ""], shape)


def local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
