"""All that a town writes down, as bytes, and the words of people that stand in it in clear."""

from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from shared.events.topics import SERVICES, TOPICS, dead_letters
from tests.judge.evidence import Written

_IN_CLEAR: Final = frozenset(topic.name for topic in TOPICS if topic.personal == "clear")
"""What adapters write, for a day (ADR 8); the copies of what is parked of it are not among them."""
DEAD_LETTERS: Final = tuple(dead_letters(topic, one) for topic in TOPICS for one in topic.consumers if one in SERVICES)


def in_record(raw: Any) -> Iterator[Written]:  # Any: a record of aiokafka
    """Give what a record holds, but for the topics in which personal data may be in clear."""
    if raw.topic in _IN_CLEAR:
        return
    where = f"{raw.topic}/{raw.partition}/{raw.offset}"
    yield f"{where} key and headers", b"\0".join([raw.key or b"", *(value or b"" for _, value in raw.headers)])
    if raw.value:
        yield where, raw.value


async def in_tables(database: asyncpg.Connection, *, but: Container[str] = ()) -> list[Written]:
    """Return every row of every table of ours, as text and its bytes as they are; `but`: tables that are looked at elsewhere."""
    written: list[Written] = []
    tables = await database.fetch(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema = ANY($1::text[])",
        [*SERVICES, "vault"],
    )
    for (table,) in tables:
        if table not in but:
            written += [(table, row_bytes(row.values())) for row in await database.fetch(f"SELECT * FROM {table}")]
    return written


def row_bytes(values: Iterable[Any]) -> bytes:  # Any: what columns hold
    """Return what a row holds: bytes as they are, everything else as text."""
    return b"\0".join(one if isinstance(one, bytes) else str(one).encode() for one in values if one is not None)


def in_files(folder: Path, pattern: str) -> Iterator[Written]:
    """Give each file of a folder and of those in it, whole."""
    for path in folder.rglob(pattern):
        if path.is_file():
            yield str(path), path.read_bytes()


def in_clear(words: Sequence[str], written: Iterable[Written]) -> list[str]:
    """Return each place in which a word can be read, with the word."""
    needles = [word.encode() for word in words]
    return [f"{where}: {needle.decode()!r}" for where, text in written for needle in needles if needle in text]
