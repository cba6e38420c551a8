"""Turns an HTTP request into an operation of AWS and its parameters, by the service models of botocore.

The inverse of botocore's serializers, for the protocols that the functions use. What cannot be parsed is an error, never
skipped: `Unparsed` says what was seen.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

from .parameters import from_json, from_query, from_text, from_xml, wire_name

# The service in the scope of a signature, where the name of botocore's model is another one.
MODELS = {"states": "stepfunctions", "monitoring": "cloudwatch", "servicequotas": "service-quotas"}
# Bedrock signs the requests of both of its services with one name.
RUNTIME_PATHS = ("/model/", "/async-invoke", "/guardrail/")
SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


class Unparsed(Exception):
    """The request has no operation in the models, or a body that its protocol does not have."""


@dataclass
class HttpRequest:
    """A request as it was received. The names of its headers are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    # Bodies of objects are not kept, and have no rules but their length.
    body_was_skipped: bool = False


@dataclass
class AwsRequest:
    """An operation and its parameters, in botocore's names."""

    service: str
    operation: OperationModel
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation.name}"


def signer(headers: dict[str, str]) -> re.Match[str] | None:
    """Returns the access key, region and service that a request is signed for."""
    return SCOPE.search(headers.get("authorization", ""))


def parse(request: HttpRequest) -> AwsRequest:
    scope = signer(request.headers)
    if scope is None:
        raise Unparsed(f"{request.method} {request.path} is not signed with a header")
    service = model_name(scope["service"], request.path)
    model = service_model(service)
    protocol = model.metadata["protocol"]
    if "x-amz-target" in request.headers:
        return parse_json_rpc(service, model, request)
    if protocol == "query":
        return parse_query(service, model, request)
    if protocol in ("rest-json", "rest-xml"):
        return parse_rest(service, model, protocol, request)
    raise Unparsed(f"{service} {request.method} {request.path}: no parser for a request of protocol {protocol}")


def model_name(signed: str, path: str) -> str:
    if signed == "bedrock" and path.startswith(RUNTIME_PATHS):
        return "bedrock-runtime"
    return MODELS.get(signed, signed)


@cache
def session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def service_model(name: str) -> ServiceModel:
    if name not in session().get_available_services():
        raise Unparsed(f"botocore has no model of {name!r}")
    return session().get_service_model(name)


@cache
def operation(service: str, name: str) -> OperationModel:
    model = service_model(service)
    if name not in model.operation_names:
        raise Unparsed(f"{service} has no operation {name!r}")
    return model.operation_model(name)


def parse_json_rpc(service: str, model: ServiceModel, request: HttpRequest) -> AwsRequest:
    prefix, _, name = request.headers["x-amz-target"].rpartition(".")
    if prefix != model.metadata.get("targetPrefix"):
        raise Unparsed(f"{service}: the target {request.headers['x-amz-target']!r} is not of the service")
    found = operation(service, name)
    return AwsRequest(service, found, parameters_of_json(found, read_json(request, found)))


def parse_query(service: str, model: ServiceModel, request: HttpRequest) -> AwsRequest:
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    found = operation(service, fields.pop("Action", ""))
    version = fields.pop("Version", "")
    if version != model.metadata["apiVersion"]:
        raise Unparsed(f"{service}: version {version!r} is not {model.metadata['apiVersion']}")
    if found.input_shape is None:
        return AwsRequest(service, found, dict(fields))
    return AwsRequest(service, found, from_query(fields, found.input_shape))


def read_json(request: HttpRequest, found: OperationModel) -> Any:
    try:
        return json.loads(request.body or b"{}")
    except ValueError as error:
        raise Unparsed(f"{found.name}: the body is not JSON: {error}") from None


def parameters_of_json(found: OperationModel, body: Any) -> dict[str, Any]:
    return from_json(body, found.input_shape) if found.input_shape is not None else body


# --- REST ---


@dataclass(frozen=True)
class Route:
    """The form of the requests of one operation."""

    operation: OperationModel
    path: re.Pattern[str]
    literals: int
    query: tuple[tuple[str, str], ...]
    needed_query: frozenset[str]
    needed_headers: frozenset[str]

    @property
    def weight(self) -> tuple[int, int]:
        """Order of the routes: of those that fit, the one that says most about its requests is meant."""
        return self.literals, len(self.query) + len(self.needed_query) + len(self.needed_headers)


@cache
def routes(service: str) -> list[Route]:
    model = service_model(service)
    found = [route_of(model.operation_model(name)) for name in model.operation_names]
    return sorted(found, key=lambda route: route.weight, reverse=True)


def route_of(found: OperationModel) -> Route:
    path, _, query = found.http["requestUri"].partition("?")
    segments = [segment for segment in path.split("/") if segment]
    pattern = "".join("/" + pattern_of(segment) for segment in segments) or "/"
    shape = found.input_shape
    located: dict[str, set[str]] = {"querystring": set(), "header": set()}
    for name in shape.required_members if shape else []:
        location = shape.members[name].serialization.get("location")
        if location in located:
            located[location].add(
                wire_name(name, shape.members[name]).lower()
                if location == "header"
                else wire_name(name, shape.members[name])
            )
    return Route(
        operation=found,
        path=re.compile(f"{found.http['method']} {pattern}/?"),
        literals=sum(not segment.startswith("{") for segment in segments),
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        needed_query=frozenset(located["querystring"]),
        needed_headers=frozenset(located["header"]),
    )


def pattern_of(segment: str) -> str:
    if segment.startswith("{"):
        name = segment.strip("{}")
        return f"(?P<{name.rstrip('+')}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"
    return re.escape(segment)


def parse_rest(service: str, model: ServiceModel, protocol: str, request: HttpRequest) -> AwsRequest:
    query = parse_qsl(request.query, keep_blank_values=True)
    sent = dict(query)
    for route in routes(service):
        match = route.path.fullmatch(f"{request.method} {request.path}")
        fits = match and all(sent.get(name) == value for name, value in route.query)
        if fits and route.needed_query <= sent.keys() and route.needed_headers <= request.headers.keys():
            assert match is not None
            return AwsRequest(
                service, route.operation, rest_parameters(route, match.groupdict(), query, protocol, request)
            )
    raise Unparsed(f"{service} has no operation for {request.method} {request.path}?{request.query}")


def rest_parameters(
    route: Route, path: dict[str, str], query: list[tuple[str, str]], protocol: str, request: HttpRequest
) -> dict[str, Any]:
    shape = route.operation.input_shape
    if shape is None:
        return {}
    parameters: dict[str, Any] = {}
    in_body = {}
    for name, member in shape.members.items():
        location, wire = member.serialization.get("location"), wire_name(name, member)
        if location == "uri":
            parameters[name] = from_text([unquote(path[wire])], member)
        elif location == "querystring" and (values := [value for key, value in query if key == wire]):
            parameters[name] = from_text(values, member)
        elif location == "header" and wire.lower() in request.headers:
            parameters[name] = from_text([request.headers[wire.lower()]], member)
        elif location == "headers":
            prefix = wire.lower()
            found = {key: value for key, value in request.headers.items() if key.startswith(prefix)}
            if found:
                parameters[name] = {key.removeprefix(prefix): value for key, value in found.items()}
        elif location is None:
            in_body[name] = member
    parameters.update(body_parameters(route.operation, shape, in_body, protocol, request))
    known = {wire_name(name, member) for name, member in shape.members.items()} | {name for name, _ in route.query}
    # SDKs name the operation in `x-id`.
    unknown = [name for name, _ in query if name not in known | {"x-id"}]
    return parameters | dict.fromkeys(unknown, "?")


def body_parameters(
    found: OperationModel, shape: Shape, in_body: dict[str, Shape], protocol: str, request: HttpRequest
) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    if payload is not None:
        member = shape.members[payload]
        if member.type_name in ("blob", "string"):
            return {payload: request.body} if request.body or request.body_was_skipped else {}
        if not request.body:
            return {}
        if protocol == "rest-xml":
            return {payload: from_xml(read_xml(request, found), member)}
        return {payload: from_json(read_json(request, found), member)}
    if not in_body or not request.body:
        return {}
    if protocol == "rest-xml":
        return from_xml(read_xml(request, found), shape)
    return from_json(read_json(request, found), shape)


def read_xml(request: HttpRequest, found: OperationModel) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(request.body)
    except ElementTree.ParseError as error:
        raise Unparsed(f"{found.name}: the body is not XML: {error}") from None
