"""S1, S2, S4 and the records of R5: hostile input to everything that anybody can write to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local import address
from deploy.local.mailsink import MailSink
from shared import log
from tests.fuzz.apis import Fuzzed
from tests.fuzz.desk import Desk
from tests.fuzz.fields import FIELDS
from tests.fuzz.fuzzing import fuzz
from tests.fuzz.installation import open_installation
from tests.fuzz.mails import Written, hand_over, numbered_strings, write_all
from tests.fuzz.matrix import PAIRS, Seen, meet_all, open_readers
from tests.fuzz.naughty_strings import COUNT
from tests.fuzz.organisations import write_for_organisations
from tests.fuzz.routes import Walked, walk
from tests.fuzz.tokens import GUESSES, try_all
from tests.fuzz.tried import Tried
from tests.proof.options import Options
from tests.proof.report import Figure

CASES: Final = 20_000
SHORT_CASES: Final = 2_000
OPERATIONS: Final = 4
"""Of the APIs. One that no document names any more would be attacked by nobody."""
_LEAST_ACCEPTED: Final = 0.01
"""Of the cases wanted, by each operation: what only refuses has nothing behind its door that a case could break."""
_LEAST_PARKED, _LEAST_TAKEN, _DROPPED = 50, 5, 2
"""Of the records that a reader meets: more than so many, and exactly."""
_LOOKS: Final = 400
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
    return figures_of_apis(fuzzed, wanted=wanted) + figures_of_tokens(walked, tried)


def figures_of_apis(fuzzed: Fuzzed, *, wanted: int) -> list[Figure]:
    """S1. Nothing went wrong says something only where much was sent, and where each operation took some of it."""
    least = max(1, round(_LEAST_ACCEPTED * wanted))
    operations, fewest = len(fuzzed.accepted), min(fuzzed.accepted.values(), default=0)
    shut = [label for label, accepted in fuzzed.accepted.items() if accepted < least]
    return [
        Figure(
            "S1", f"cases sent to {operations} operations of the APIs", fuzzed.cases, f">= {wanted:,}", fuzzed.cases >= wanted
        ),
        Figure("S1", "operations of the APIs", operations, f">= {OPERATIONS}", operations >= OPERATIONS),
        _none("S1", f"operations that accepted fewer than {least:,} of them (the fewest: {fewest:,})", shut),
        _none("S1", "server errors", fuzzed.server_errors),
        _none("S1", "answers that no document declares", fuzzed.breaches),
        _none("S1", "ways around a token", fuzzed.bypasses),
    ]


def figures_of_tokens(walked: Walked, tried: Tried) -> list[Figure]:
    """S4. The services were looked at by many a route, and both kinds of token were guessed."""
    looked, sent = f"{walked.asked:,} looks at {sum(walked.routes.values())} routes", tried.tries - tried.read
    altered = f"of {tried.tries:,} guessed, altered, used again, elsewhere or otherwise, {sent:,} of them sent to a service"
    return [
        Figure("S4", "looks at routes", walked.asked, f"> {_LOOKS}", walked.asked > _LOOKS),
        _none("S4", f"changes or wrong answers: {looked}", walked.faults),
        Figure("S4", "tokens tried", tried.tries, f"> {2 * GUESSES:,}", tried.tries > 2 * GUESSES),
        _none("S4", f"tokens that opened something, {altered}", tried.faults),
    ]


async def _of_records(dsn: str, folder: Path, *, short: bool) -> list[Figure]:
    folder.mkdir()
    met: dict[str, Seen] = {}
    async with open_readers(dsn, folder) as readers:
        for service, topic in PAIRS:
            seen = met[f"{service} {topic.name}"] = await meet_all(readers[service], topic, heavy=not short)
            _tell(f"R5: {service} met {seen.cases} records on {topic.name}, {len(seen.faults)} faults")
    _show([fault for one in met.values() for fault in one.faults])
    return figures_of_records(met)


def figures_of_records(met: Mapping[str, Seen]) -> list[Figure]:
    """R5, by reader. One that parks everything, or nothing, met other records than these."""
    faults = [fault for one in met.values() for fault in one.faults]
    cases, parked = sum(one.cases for one in met.values()), sum(one.parked for one in met.values())
    unmet = [
        reader
        for reader, one in met.items()
        if one.parked <= _LEAST_PARKED or one.taken <= _LEAST_TAKEN or one.dropped != _DROPPED
    ]
    return [
        _none("R5", f"faults: {cases:,} hostile records of {len(met)} readers, {parked:,} parked", faults),
        _none("R5", f"readers that parked {_LEAST_PARKED} or fewer, or took {_LEAST_TAKEN} or fewer", unmet),
    ]


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
    return figures_of_mails(all_written, arrived, every=every)


def figures_of_mails(written: Written, arrived: Sequence[str], *, every: int) -> list[Figure]:
    """S2. At least as many mails are looked at as there are listed strings times fields: one that is taken makes two or more."""
    cases, mails, fields = written.cases, len(written.mails), len(FIELDS) + 1
    least = COUNT // every * fields
    told = f"{cases:,} strings in {fields} fields, {written.refused:,} refused, {mails:,} mails"
    return [
        Figure("S2", f"mails looked at, of {cases:,} strings", mails, f">= {least:,}", mails >= least),
        _none("S2", f"headers, recipients, parts, marks more, texts lost: {told}", written.faults),
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
