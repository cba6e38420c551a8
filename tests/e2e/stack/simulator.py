"""The simulator's own routes: which jobs there are, and how it is to misbehave."""

import hashlib
import json
import urllib.request
from urllib.parse import urlencode

# Whatever proxy there is, this machine is not behind it.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TERMINAL_STATUSES = {"Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"}


def is_over(job: dict) -> bool:
    return job["status"] in TERMINAL_STATUSES


class Simulator:
    def __init__(self, url: str):
        self.url = url
        self.well_behaved = self.request("GET", "/behaviour")

    def request(self, method: str, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_simulator{path}", data, method=method)
        with DIRECT.open(request, timeout=120) as response:
            return json.loads(response.read())

    def jobs(self, about: str = "") -> list[dict]:
        return self.request("GET", f"/jobs?{urlencode({'about': about})}")["jobs"]

    def jobs_of(self, run: str) -> list[dict]:
        """The jobs whose input is in the run's folder, in order of their chunks."""
        return sorted(self.jobs(f"/{run}/"), key=lambda job: job["inputS3Uri"])

    def calls(self) -> dict[str, dict[str, int]]:
        """By operation, how often it was answered, by `ok` or the name of the error."""
        return self.request("GET", "/calls")["calls"]

    def invocations(self) -> dict:
        return self.request("GET", "/invocations")

    def answered_on_demand(self) -> dict[tuple[str, str], int]:
        """By model and content, how often a request was answered or left while it was being answered."""
        found = self.invocations()["invocations"]
        return {(one["model_id"], one["content"]): one["ok"] + one["abandoned"] for one in found}

    @staticmethod
    def content(body: dict) -> str:
        """The simulator's name for a request with this body."""
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def forget(self) -> None:
        """Forgets all jobs and counts; the behaviour stays."""
        self.request("POST", "/reset", {})

    def behave(self, about: str = "", **changes) -> None:
        """Changes the behaviour: with `about`, towards jobs whose input has it in its address and requests on demand that
        have it in their text, and otherwise towards all others."""
        self.request("PUT", f"/behaviour?{urlencode({'about': about})}", changes)

    def behave_well(self, about: str = "") -> None:
        if about:
            self.request("DELETE", f"/behaviour?{urlencode({'about': about})}")
        else:
            self.request("PUT", "/behaviour", self.well_behaved)
