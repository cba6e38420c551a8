"""Functions that die at one of their requests, chosen by its number: before it is performed, or after that and before its
answer arrives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stack.contract import function_name
from stack.faults import Answer, Broken, Fault, FaultyProxy, Forward, Request, endpoints_of
from stack.killer import Processes

# Every service that a function may talk to, but for Bedrock, which has an endpoint of its own.
SERVICES = ("S3", "DYNAMODB", "SFN", "SNS", "SQS", "SECRETS_MANAGER")
# No function that is killed here needs as many.
MAX_REQUESTS = 60


class Deaths:
    """Kills one function at a request with a number, once it is armed."""

    def __init__(self, stack, function: str):
        self.function = function
        self._processes = Processes(stack)
        self._lock = threading.Lock()
        self._at, self._performs = 0, False
        self._requests = 0
        self.died = False

    def arm(self, number: int, performs: bool) -> None:
        """`performs`: the request is performed, and its answer is lost."""
        with self._lock:
            self._at, self._performs, self._requests, self.died = number, performs, 0, False

    def disarm(self) -> None:
        """Spares further invocations."""
        with self._lock:
            self._at = 0

    def next(self) -> Fault | None:
        with self._lock:
            self._requests += 1
            return self._die if self._requests == self._at else None

    def _die(self, request: Request, forward: Forward) -> Answer:
        if self._performs:
            forward(request)
        if self._processes.kill(self.function):
            self.died = True
        raise Broken


@contextmanager
def dying(stack, function: str) -> Iterator[Deaths]:
    """Sends all requests of a function through proxies that can kill it."""
    deaths = Deaths(stack, function)
    with (
        FaultyProxy(stack.environment["AWS_ENDPOINT_URL"], deaths) as aws,
        FaultyProxy(stack.environment["AWS_ENDPOINT_URL_BEDROCK"], deaths) as bedrock,
        endpoints_of(
            stack,
            [function_name(function)],
            {
                **{f"AWS_ENDPOINT_URL_{service}": aws.url for service in SERVICES},
                "AWS_ENDPOINT_URL_BEDROCK": bedrock.url,
            },
        ),
    ):
        yield deaths


def each_request(deaths: Deaths) -> Iterator[int]:
    """The number of each request that the function makes, alternately killed before and after it is performed. Each time
    the caller invokes the function, disarms, and repeats; the last time is the first that had no request left to die at."""
    for number in range(1, MAX_REQUESTS):
        deaths.arm(number, performs=number % 2 == 0)
        yield number
        if not deaths.died:
            assert number > 1, "the function died at least once"
            return
    raise AssertionError(f"the function makes over {MAX_REQUESTS} requests")
