"""P2: from the post of a request to the agent's mail at the SMTP server, through all five services and a real Kafka."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from deploy.local import address
from deploy.local.town import Town
from tests.figures.fast_sink import open_sink, port_of
from tests.figures.http_load import run_load
from tests.figures.intake_speed import make
from tests.proof.options import Options
from tests.proof.report import Figure, percentile

CONNECTIONS = 32
REST_SECONDS = 60.0
KNEE_MS = 1000.0
"""A p99 above this is past the knee: no higher rate is tried, but for one that a goal is about."""
RATES = (20, 50, 100, 200, 300, 400, 500, 650, 800, 1000)
_WANTED = (20, 500)
_SECONDS = 8.0
_WARM_UP = 200


class _Answer(msgspec.Struct):
    request_id: str


_decode = msgspec.json.Decoder(_Answer).decode


@dataclass
class Watch:
    """When each request was sent, and when the first mail to its service came (seconds, one clock)."""

    sent: dict[str, float] = field(default_factory=dict)
    mailed: dict[str, float] = field(default_factory=dict)
    """Of all rounds, so that a mail that comes again later is seen, too."""
    lost: int = 0
    """Requests whose agent had no mail when the round was given up."""
    repeated: int = 0
    """Mails to an agent that came again."""

    def heard(self, begun: float, body: bytes) -> None:
        """Note an answer of intake."""
        self.sent[_decode(body).request_id] = begun

    def arrived(self, name: str, at: float) -> None:
        """Note a mail. The agent's is called assignment.<version>.<request id>."""
        if name.startswith("assignment."):
            request_id = name.rpartition(".")[2]
            self.repeated += request_id in self.mailed
            self.mailed.setdefault(request_id, at)

    def waits(self) -> bool:
        """Tell whether a mail is still to come."""
        return bool(self.sent.keys() - self.mailed.keys())

    def take(self, now: float) -> list[float]:
        """Return the milliseconds of each request, in order, and begin a round anew.

        One that has no mail is counted as lost, and as having waited until `now`.
        """
        self.lost += len(self.sent.keys() - self.mailed.keys())
        took = sorted((self.mailed.get(one, now) - begun) * 1000 for one, begun in self.sent.items())
        self.sent.clear()
        return took


async def run_town(town: Town, watch: Watch, *, rate: float, count: int, settle: bool = True) -> list[float]:
    """Post requests at a rate; return how long each took to its agent's mail, in order, once all is at rest (`settle`)."""
    outcome = await run_load(town.ports["intake"], make, count=count, connections=CONNECTIONS, rate=rate, heard=watch.heard)
    assert outcome.statuses.keys() == {201}, f"intake answered {outcome.statuses}"
    until = time.perf_counter() + REST_SECONDS
    while watch.waits() and time.perf_counter() < until:
        await asyncio.sleep(0.05)
    if settle:
        await town.settle()
    return watch.take(time.perf_counter())


async def measure(
    folder: Path, rates: tuple[int, ...], *, rounds: int, seconds: float
) -> tuple[dict[int, list[list[float]]], Watch]:
    """Return the latencies per rate and round, the rates taken in turn, and who counted the mails that are missing or twice."""
    watch = Watch()
    with address.kafka(folder / "kafka") as bootstrap, address.postgres(folder / "postgres") as admin_dsn:
        async with await open_sink(watch.arrived) as sink:
            town = Town(folder / "town", kafka=bootstrap, admin_dsn=admin_dsn, smtp=f"smtp://127.0.0.1:{port_of(sink)}")
            town.extra = {"AIGUILLEUR_INTAKE_API_CALLS_A_MINUTE": "0"}
            await town.prepare()
            await asyncio.to_thread(town.start)
            found: dict[int, list[list[float]]] = {rate: [] for rate in rates}
            try:
                await run_town(town, watch, rate=100, count=_WARM_UP)
                for number in range(rounds):
                    saturated = False
                    for rate in rates:
                        if saturated and rate not in _WANTED:
                            continue
                        took = await run_town(town, watch, rate=rate, count=max(100, int(rate * seconds)))
                        found[rate].append(took)
                        shown = ", ".join(f"{percentile(took, share):.0f}" for share in (0.5, 0.99, 1.0))
                        print(f"  round {number + 1} {rate}/s: p50, p99, most {shown} ms of {len(took)}", flush=True)
                        saturated = saturated or percentile(took, 0.99) > KNEE_MS
            finally:
                town.stop()
    return found, watch


def figures(found: dict[int, list[list[float]]], watch: Watch) -> list[Figure]:
    """Return P2's figures: the medians of the rounds."""

    def of(rate: int, share: float, most: float) -> Figure:
        rounds = [percentile(took, share) for took in found[rate]]
        value = sorted(rounds)[len(rounds) // 2]
        what = f"accept to the agent's mail, p{share * 100:.0f} in ms at {rate}/s"
        return Figure("P2", what, value, f"<= {most:.0f}", value <= most, {f"{rate}/s": rounds})

    told = [of(20, 0.5, 30), of(20, 0.99, 80), of(500, 0.99, 150)]
    curve = {
        f"{rate}/s p{share * 100:.0f}": [percentile(took, share) for took in many]
        for rate, many in found.items()
        if many
        for share in (0.5, 0.99)
    }
    wrong, count = watch.lost + watch.repeated, sum(len(took) for many in found.values() for took in many)
    what = f"of {count:,} requests, those that reached no agent within {REST_SECONDS:.0f} s, and mails that came twice"
    return [*told, Figure("P2", what, wrong, "= 0", wrong == 0, curve)]


async def prove(options: Options) -> list[Figure]:
    """P2, by `python -m tests.proof latency`."""
    rates = _WANTED if options.short else RATES
    rounds, seconds = (1, 4.0) if options.short else (3, _SECONDS)
    return figures(*await measure(options.folder, rates, rounds=rounds, seconds=seconds))
