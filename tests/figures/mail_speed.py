"""P8: mails composed and handed over a second, and their CPU, beside kept connections without composing and one each."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiosmtplib
import asyncpg

from deploy.local import address, ports
from deploy.local.process import ServerProcess
from deploy.local.readiness import wait_until
from services.notifier.app import build
from services.notifier.compose import Mail
from services.notifier.domain.correspondence import Correspondence
from shared.app import App
from shared.organisation import load
from shared.vault.seal import Vault
from tests.figures.turns import in_turn
from tests.notifier.conftest import KEYS, ORGANISATION, Notifier, Office, Story, prepare
from tests.proof.options import Options
from tests.proof.report import Figure, median

_EACH = 2
"""Letters of a request that was received and assigned: the receipt, and the mail to the service."""
_CONNECTIONS = 4


@dataclass
class Pace:
    """What one way reached, a value per round: mails a second, and milliseconds of this process's CPU for one mail."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


async def _timed(pace: Pace, count: int, send: Awaitable[None]) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    await send
    pace.rates.append(count / (time.perf_counter() - started))
    pace.cpu.append((time.process_time() - cpu) * 1000 / count)


async def _given_letters(office: Office, requests: int) -> None:
    """Let requests come in and be assigned: their letters are due, and nobody sends them yet."""
    for start in range(0, requests, 500):
        stories = [office.story() for _ in range(min(500, requests - start))]
        await office.store_keys(*stories)
        await office.tell(*(story.received() for story in stories))
        await office.tell(*(story.assigned() for story in stories))


async def _send_ours(app: App[Correspondence], admin: asyncpg.Connection) -> None:
    """Run the notifier's own loops until no letter is left."""
    workers = [asyncio.ensure_future(loop()) for loop in app.background]
    while await admin.fetchval("SELECT EXISTS (SELECT FROM notifier.letter)"):
        await asyncio.sleep(0.02)
    for worker in workers:
        worker.cancel()
    for worker in workers:
        with suppress(asyncio.CancelledError):
            await worker


def _sample() -> Mail:
    """A mail as the notifier writes it."""
    story = Story()
    notifier = Notifier(load(ORGANISATION).authority("rivemont"))
    notifier.take(story.received(), story.assigned())
    return notifier.mail("assignment.2", story)


async def _send_kept(port: int, mail: Mail, count: int) -> None:
    numbers = iter(range(count))

    async def worker() -> None:
        smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        await smtp.connect()
        for _ in numbers:
            await smtp.sendmail(mail.sender, [mail.recipient.address], mail.content)
        await smtp.quit()

    await asyncio.gather(*(worker() for _ in range(_CONNECTIONS)))


async def _send_each(port: int, mail: Mail, count: int) -> None:
    numbers = iter(range(count))

    async def worker() -> None:
        for _ in numbers:
            recipients = [mail.recipient.address]
            await aiosmtplib.send(
                mail.content, sender=mail.sender, recipients=recipients, hostname="127.0.0.1", port=port, start_tls=False
            )

    await asyncio.gather(*(worker() for _ in range(_CONNECTIONS)))


def _start_sink(folder: Path) -> tuple[ServerProcess, int]:
    port = ports.free_port()
    process = ServerProcess(
        [sys.executable, "-m", "tests.figures.fast_sink", str(port)],
        log_file=folder / "sink.log",
        pid_file=folder / "sink.pid",
        environment=os.environ,
    )

    async def answers() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    wait_until(answers, server=process, name="sink", timeout_seconds=20)
    return process, port


async def measure(folder: Path, *, rounds: int, count: int) -> list[Figure]:
    """Return P8's figures. Connections that end after one mail are given a tenth: their rate does not depend on it."""
    paces = {name: Pace() for name in ("ours", "kept", "each")}
    mail = _sample()
    with address.postgres(folder / "postgres") as admin_dsn:
        sink, port = await asyncio.to_thread(_start_sink, folder)
        settings = await prepare(admin_dsn, folder, f"smtp://127.0.0.1:{port}")
        app = await build(settings.model_copy(update={"clock_file": None}))
        app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        office = Office(app, admin_dsn, folder, settings, Vault.from_text(KEYS))
        admin = await asyncpg.connect(admin_dsn)
        ways: dict[str, tuple[Callable[[], Awaitable[None]], int]] = {
            "ours": (lambda: _send_ours(app, admin), count),
            "kept": (lambda: _send_kept(port, mail, count), count),
            "each": (lambda: _send_each(port, mail, count // 10), count // 10),
        }
        try:
            for number in range(rounds + 1):  # the first one warms up
                await admin.execute("TRUNCATE notifier.request, notifier.letter, notifier.outbox, vault.request_key")
                await _given_letters(office, count // _EACH)
                await admin.execute("CHECKPOINT")
                for name, (send, size) in in_turn(ways, number):
                    await _timed(paces[name], size, send())
                sent = await admin.fetchval(
                    "SELECT count(*) FROM notifier.outbox WHERE type = 'fr.aiguilleur.notification.sent.v1'"
                )
                assert sent == count, f"{sent} of {count} letters were sent"
                if number == 0:
                    paces = {name: Pace() for name in paces}
                    continue
                told = ", ".join(f"{name} {pace.rates[-1]:,.0f}/s {pace.cpu[-1]:.2f} ms" for name, pace in paces.items())
                print(f"  round {number}: {told}", flush=True)
        finally:
            await admin.close()
            app.pool.terminate()
            sink.stop()
    return _figures(paces)


def _figures(paces: dict[str, Pace]) -> list[Figure]:
    rate, cpu = median(paces["ours"].rates), median(paces["ours"].cpu)
    rates = {name: pace.rates for name, pace in paces.items()}
    costs = {f"{name} µs": [one * 1000 for one in pace.cpu] for name, pace in paces.items()}
    return [
        Figure("P8", "mails composed, handed over and noted, a second", rate, ">= 3000", rate >= 3000, rates),
        Figure("P8", "CPU of the notifier for one mail, ms", cpu, "<= 0.3", cpu <= 0.3, costs),
    ]


async def prove(options: Options) -> list[Figure]:
    """P8, by `python -m tests.proof mail`."""
    if options.short:
        return await measure(options.folder, rounds=1, count=2_000)
    return await measure(options.folder, rounds=3, count=10_000)
