"""Every API against its own OpenAPI document, by schemathesis: each case sent is counted.

Half of the cases are made to fit the document, half to break it; of those that fit, many name things that exist. Links of the
document (submit, then track) are followed. A process of its own, so that making cases up does not slow the services down.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

_NOT_CHECKED: Final[list[Any]] = [positive_data_acceptance]
"""What the document allows may still name an authority, a request or a period that is not there."""
_MOST_ROUNDS: Final = 40
_CHUNK: Final = 200
_NAMED: Final = "solene@courriel.example"
"""The usager of the request that all services know."""


@dataclass(frozen=True)
class Known:
    """Where the services with an API listen, and what exists there."""

    urls: dict[str, str]
    request_id: str
    tracking_token: str


@dataclass
class Fuzzed:
    """What came of it. `accepted`: answers 2xx, by operation; 0 of one that took none."""

    cases: int = 0
    accepted: dict[str, int] = field(default_factory=dict)
    server_errors: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    bypasses: list[str] = field(default_factory=list)


class Fuzzer:
    """Sends cases to an installation, up to the instant `until` (monotonic)."""

    def __init__(self, known: Known, *, seed: int, tell: Callable[[str], None], until: float | None = None) -> None:
        self.fuzzed = Fuzzed()
        self._known = known
        self._until = until
        self._seed = seed
        self._tell = tell
        self._session = requests.Session()
        self._session.trust_env = False
        self._tokens = [known.tracking_token]
        self._by_id: dict[str, Any] = {}  # Any: schemathesis' operations

    def run(self, cases: int) -> Fuzzed:
        """Send at least this many cases, evenly over all operations."""
        schemas = [schemathesis.openapi.from_url(f"{url}/openapi.json") for url in self._known.urls.values()]
        operations: list[Any] = [result.ok() for schema in schemas for result in schema.get_all_operations()]  # type: ignore[union-attr]  # a document of ours has no error
        self.fuzzed.accepted = {one.label: 0 for one in operations}
        self._by_id = {one.definition.raw.get("operationId"): one for one in operations}
        for operation in operations:
            self._fuzz(operation, -(-cases // len(operations)))
        return self.fuzzed

    def _fuzz(self, operation: Any, count: int) -> None:
        """Any: schemathesis' operation, of the version of OpenAPI that it read."""
        wanted = self.fuzzed.cases + count
        for number in range(_MOST_ROUNDS):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if self.fuzzed.cases >= wanted or (self._until is not None and time.monotonic() > self._until):
                    return
                self._round(operation, mode, min(_CHUNK, wanted - self.fuzzed.cases), number)
                faults = self._all_faults
                shown = f", such as {faults[-1]}" if faults else ""
                self._tell(f"{operation.label}: {self.fuzzed.cases} cases so far, {len(faults)} faults{shown}")

    @property
    def _all_faults(self) -> list[str]:
        return [*self.fuzzed.server_errors, *self.fuzzed.breaches, *self.fuzzed.bypasses]

    def _round(self, operation: Any, mode: GenerationMode, count: int, number: int) -> None:
        @hypothesis.seed(self._seed * 1_000 + number)
        @_settings(count)
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), pick=hypothesis.strategies.integers(0, 5))
        def send(case: Case[Any], pick: int) -> None:
            if mode is GenerationMode.POSITIVE:
                self._name_what_exists(case, pick)
            self._send(case)

        send()

    def _name_what_exists(self, case: Case[Any], pick: int) -> None:
        known = {
            "request_id": str(self._known.request_id),
            "authority": ("rivemont", "saint-aubrin")[pick % 2],
            "token": self._tokens[pick % len(self._tokens)],
        }
        if pick:
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})

    def _send(self, case: Case[Any]) -> None:
        response = case.call(session=self._session)
        self._look(case, response)
        self._validate(case, response)
        if response.status_code == 201:
            self._follow(case, response)

    def _follow(self, case: Case[Any], response: Any) -> None:
        """Follow the links that the document gives for an answer: what was accepted is found, and is what was accepted."""
        links = case.operation.definition.raw["responses"]["201"]["links"]
        for link in links.values():
            told = response.json()
            parameters = {name: told[source.removeprefix("$response.body#/")] for name, source in link["parameters"].items()}
            next_case = self._by_id[link["operationId"]].Case(path_parameters=parameters)
            found = next_case.call(session=self._session)
            self._look(next_case, found)
            self._validate(next_case, found)
            if found.status_code != 200 or found.json()["reference"] != told["reference"]:
                self.fuzzed.breaches.append(f"{case.operation.label}: its link leads to {found.status_code}")

    def _validate(self, case: Case[Any], response: Any) -> None:
        try:
            case.validate_response(response, excluded_checks=_NOT_CHECKED)
        except (Failure, FailureGroup) as failure:
            told = "; ".join(map(str, getattr(failure, "exceptions", [failure])))
            self.fuzzed.breaches.append(f"{case.operation.label}: {told[:500]} | {case.as_curl_command()[:300]}")

    def _look(self, case: Case[Any], response: Any) -> None:
        """Count the case; look for what no document says."""
        fuzzed, label = self.fuzzed, case.operation.label
        fuzzed.cases += 1
        if response.status_code >= 500:
            fuzzed.server_errors.append(f"{label}: {response.status_code} | {case.as_curl_command()[:300]}")
        if not 200 <= response.status_code < 300:
            return
        fuzzed.accepted[label] += 1
        body = response.content.decode(errors="replace")
        if label.startswith("POST"):
            token = response.json()["tracking_token"]
            self._tokens = [*self._tokens[-200:], token]
        elif "{token}" in label:
            if case.path_parameters.get("token") not in self._tokens:
                fuzzed.bypasses.append(f"{label}: opened without a token that was given | {case.as_curl_command()[:300]}")
        elif _NAMED in body:
            fuzzed.bypasses.append(f"{label}: tells who the usager is")


def _settings(count: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def main() -> None:
    """Read what is known as JSON from standard input; write progress, then what came of it, as lines of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float)
    chosen = parser.parse_args()
    until = time.monotonic() + chosen.seconds if chosen.seconds else None
    fuzzer = Fuzzer(
        Known(**json.load(sys.stdin)),
        seed=chosen.seed,
        tell=lambda told: print(json.dumps({"progress": told}), flush=True),
        until=until,
    )
    print(json.dumps(asdict(fuzzer.run(chosen.cases))), flush=True)


if __name__ == "__main__":
    main()
