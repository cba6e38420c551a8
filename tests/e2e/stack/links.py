"""Links of emails, followed as a browser does, and signed by hand as the key's owner could."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message

from stack.contract import END_OF_NAMES

SECRET = "bedrock-batch-link-key" + END_OF_NAMES


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


def fetch(url: str, method: str = "GET", follow: bool = False) -> Answer:
    """The response of a URL, whatever its status."""
    handlers = [urllib.request.ProxyHandler({})] + ([] if follow else [_Stay()])
    request = urllib.request.Request(url, b"" if method in ("POST", "PUT", "PATCH") else None, method=method)
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=30) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def payload_of(token: str) -> dict:
    part = token.split(".")[-2]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def key_id(secret: str) -> str:
    return hmac.new(secret.encode(), b"key id", hashlib.sha256).hexdigest()[:8]


def sign(secret: str, payload: dict, version: str = "v2") -> str:
    key = f"{key_id(secret)}." if version == "v2" else ""
    signed = f"{version}.{key}{encoded(json.dumps(payload).encode())}"
    code = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encoded(code)}"
