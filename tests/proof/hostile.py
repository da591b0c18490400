"""S1, S2, S4 and the records of R5: hostile input to everything that anybody can write to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local import address
from deploy.local.mailsink import MailSink
from shared import log
from tests.fuzz.desk import Desk
from tests.fuzz.fields import FIELDS
from tests.fuzz.fuzzing import fuzz
from tests.fuzz.installation import open_installation
from tests.fuzz.mails import Written, hand_over, numbered_strings, write_all
from tests.fuzz.matrix import PAIRS, Seen, meet_all, open_readers
from tests.fuzz.organisations import write_for_organisations
from tests.fuzz.routes import walk
from tests.fuzz.tokens import GUESSES, try_all
from tests.proof.options import Options
from tests.proof.report import Figure

CASES: Final = 20_000
SHORT_CASES: Final = 2_000
_SHORT_EVERY: Final = 31
_SHOWN: Final = 20


async def prove(options: Options) -> list[Figure]:
    """By `python -m tests.proof hostile`. `minutes` bounds the fuzzing of the APIs; fewer cases than wanted are a miss."""
    log.configure(level="CRITICAL")  # what is parked is told below
    seed, every = 1 if options.seed is None else options.seed, _SHORT_EVERY if options.short else 1
    with address.postgres(options.folder / "postgres") as admin_dsn:
        figures = await _of_http(await _database(admin_dsn, "http"), options, seed)
        figures += await _of_records(await _database(admin_dsn, "records"), options.folder / "readers", short=options.short)
    return figures + await _of_mails(options.folder / "mail", every=every, first=seed % every)


async def _database(admin_dsn: str, name: str) -> str:
    """Return the address of a database of our own. Services' roles are the server's: what they were told last holds."""
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute(f'CREATE DATABASE "hostile_{name}"')
    finally:
        await admin.close()
    return f"{admin_dsn.rsplit('/', 1)[0]}/hostile_{name}"


async def _of_http(dsn: str, options: Options, seed: int) -> list[Figure]:
    wanted, folder = SHORT_CASES if options.short else CASES, options.folder / "http"
    folder.mkdir()
    async with open_installation(dsn, folder) as installation:
        walked = await walk(installation)
        _tell(f"S4: {sum(walked.routes.values())} routes, asked {walked.asked} times")
        tried = await try_all(installation, seed=seed, guesses=GUESSES)
        _tell(f"S4: {tried.tries} tokens tried")
        seconds = None if options.minutes is None else options.minutes * 60
        fuzzed = await fuzz(installation, cases=wanted, seed=seed, tell=lambda told: _tell(f"S1: {told}"), seconds=seconds)
    _show([*walked.faults, *tried.faults, *fuzzed.server_errors, *fuzzed.breaches, *fuzzed.bypasses])
    return [
        Figure(
            "S1",
            f"cases sent to {len(fuzzed.accepted)} operations of the APIs",
            fuzzed.cases,
            f">= {wanted:,}",
            fuzzed.cases >= wanted,
        ),
        _none("S1", "server errors", fuzzed.server_errors),
        _none("S1", "answers that no document declares", fuzzed.breaches),
        _none("S1", "ways around a token", fuzzed.bypasses),
        _none("S4", f"changes or wrong answers: {walked.asked} looks at {sum(walked.routes.values())} routes", walked.faults),
        _none(
            "S4",
            f"tokens that opened something, of {tried.tries:,} guessed, altered, used again, elsewhere or otherwise, "
            f"{tried.tries - tried.read:,} of them sent to a service",
            tried.faults,
        ),
    ]


async def _of_records(dsn: str, folder: Path, *, short: bool) -> list[Figure]:
    folder.mkdir()
    met: list[Seen] = []
    async with open_readers(dsn, folder) as readers:
        for service, topic in PAIRS:
            met.append(await meet_all(readers[service], topic, heavy=not short))
            _tell(f"R5: {service} met {met[-1].cases} records on {topic.name}, {len(met[-1].faults)} faults")
    faults = [fault for one in met for fault in one.faults]
    _show(faults)
    cases, parked = sum(one.cases for one in met), sum(one.parked for one in met)
    return [_none("R5", f"faults: {cases:,} hostile records of {len(PAIRS)} readers, {parked:,} parked", faults)]


async def _of_mails(folder: Path, *, every: int, first: int) -> list[Figure]:
    desk, all_written = Desk(), Written()
    for filled in FIELDS:
        written = write_all(desk, numbered_strings(every, first), [filled])
        _tell(f"S2: {filled.name}: {written.cases} strings, {written.refused} refused, {len(written.faults)} faults")
        _add(all_written, written)
    named = write_for_organisations(numbered_strings(every, first))
    _add(all_written, named)
    _tell(f"S2: names of an organisation: {named.cases} strings, {named.refused} refused, {len(named.faults)} faults")
    with MailSink(folder) as sink:
        arrived = await hand_over(sink, all_written.mails)
    _show([*all_written.faults, *arrived])
    cases, mails = all_written.cases, len(all_written.mails)
    told = f"{cases:,} strings in {len(FIELDS) + 1} fields, {all_written.refused:,} refused, {mails:,} mails"
    return [
        _none("S2", f"headers, recipients, parts, marks more, texts lost: {told}", all_written.faults),
        _none("S2", f"mails that arrived otherwise over SMTP, of {mails:,}", arrived),
    ]


def _add(to: Written, more: Written) -> None:
    to.cases += more.cases
    to.refused += more.refused
    to.mails += more.mails
    to.faults += more.faults


def _none(name: str, what: str, faults: Sequence[str]) -> Figure:
    return Figure(name, what, len(faults), "0", not faults)


def _show(faults: Sequence[str]) -> None:
    for fault in faults[:_SHOWN]:
        print(f"  fault: {fault[:400]}", flush=True)


def _tell(progress: str) -> None:
    print(f"  {progress}", flush=True)
