"""P1: requests a second through intake's API, answered after the commit, beside bare FastAPI and the naive way."""

import asyncio
import sys
from pathlib import Path

from deploy.local import address, ports
from deploy.local.process import ServerProcess
from deploy.local.readiness import wait_until
from deploy.local.town import Town
from tests.figures.http_load import Outcome, post, run_load
from tests.figures.turns import in_turn
from tests.proof.options import Options
from tests.proof.report import Figure, median

CONNECTIONS = 32


def make(number: int) -> bytes:
    body: dict[str, object] = {
        "authority": "rivemont",
        "channel": "app",
        "service": "voirie",
        "email": f"usager{number}@courriel.example",
        "text": "Bonjour, le lampadaire devant le 12 rue des Tanneurs est éteint depuis trois jours. Merci. " * 3,
    }
    return post("/v1/requests", body)


async def measure(folder: Path, *, rounds: int, count: int) -> list[Figure]:
    """Return P1's two ratios and the p99 at half load. Kafka is not even started: intake does not need it."""
    with address.postgres(folder / "postgres") as admin_dsn:
        town = Town(folder / "town", kafka=f"127.0.0.1:{ports.free_port()}", admin_dsn=admin_dsn, smtp="smtp://127.0.0.1:9")
        await town.prepare_database()
        town.extra = {"AIGUILLEUR_INTAKE_API_CALLS_A_MINUTE": "0"}
        town.start("intake")
        servers = {name: _reference(name, town, folder) for name in ("bare", "naive")}
        listening = {"ours": town.ports["intake"]} | {name: port for name, (_, port) in servers.items()}
        outcomes: dict[str, list[Outcome]] = {name: [] for name in listening}
        try:
            for number in range(rounds + 1):  # the first one warms up
                for name, port in in_turn(listening, number):
                    outcome = await run_load(port, make, count=count // 4 if name == "naive" else count, connections=CONNECTIONS)
                    if outcome.statuses.keys() != {201}:
                        raise AssertionError(f"{name} answered {outcome.statuses}")
                    if number:
                        outcomes[name].append(outcome)
                        print(
                            f"  round {number} {name}: {outcome.rate:,.0f}/s, p99 {outcome.percentile(0.99):.1f} ms", flush=True
                        )
            half = median([one.rate for one in outcomes["ours"]]) / 2
            ours = listening["ours"]
            calm = [await run_load(ours, make, count=count, connections=CONNECTIONS, rate=half) for _ in range(rounds)]
        finally:
            for process, _ in servers.values():
                process.stop()
            town.stop()
    return _figures({name: [one.rate for one in many] for name, many in outcomes.items()}, [one.percentile(0.99) for one in calm])


def _figures(rates: dict[str, list[float]], calm: list[float]) -> list[Figure]:
    ours, bare, naive = (median(rates[name]) for name in ("ours", "bare", "naive"))
    p99 = median(calm)
    return [
        Figure("P1", "intake, ours / bare FastAPI with group commit", ours / bare, ">= 0.7", ours / bare >= 0.7, rates),
        Figure("P1", "intake, ours / SQLModel session per request", ours / naive, ">= 4", ours / naive >= 4),
        Figure("P1", "intake, p99 in ms at half of its own peak", p99, "<= 30", p99 <= 30, {"ours": calm}),
    ]


def _reference(name: str, town: Town, folder: Path) -> tuple[ServerProcess, int]:
    port = ports.free_port()
    process = ServerProcess(
        [sys.executable, "-m", "tests.figures.intake_references", name, str(port), town.admin_dsn],
        log_file=folder / f"{name}.log",
        pid_file=folder / f"{name}.pid",
    )

    async def answers() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    wait_until(answers, server=process, name=name, timeout_seconds=20)
    return process, port


async def prove(options: Options) -> list[Figure]:
    """P1, by `python -m tests.proof intake`."""
    return await measure(options.folder, rounds=3, count=3000 if options.short else 12_000)
