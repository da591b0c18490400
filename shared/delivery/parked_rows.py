"""The parked records of a service as rows: what is kept of them, what is known already, what is forgotten."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from shared.db.pool import Connection
from shared.delivery.values import Folded, Outgoing, Parked, RawRecord
from shared.events.envelope import MAX_VALUE_BYTES
from shared.events.topics import TOPICS, dead_letters
from shared.vault.seal import Unreadable

SETTLED_DAYS = 14
"""How long a settled record is kept: as long as the archive of the outbox."""
HIDDEN_DAYS = 7
"""How long a record of an adapter (personal data, encrypted under the vault) is kept, settled or not."""
_DETAIL = 2000
_COPIED_HEADERS = 50_000
_PERSONAL_IN_CLEAR = {topic.name for topic in TOPICS if topic.personal == "clear"}
_TOPIC = {topic.name: topic for topic in TOPICS}


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many parked rows went. `unsettled`: those among them that nobody had dealt with."""

    settled: int
    unsettled: int


def encode_headers(headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Return headers as readable JSON; any byte survives (latin-1)."""
    return msgspec.json.encode([(name, value.decode("latin-1")) for name, value in headers])


def decode_headers(stored: bytes) -> list[tuple[str, bytes]]:
    """Return what `encode_headers` stored."""
    return [(name, value.encode("latin-1")) for name, value in msgspec.json.decode(stored)]


class ParkedRows:
    """The table `parked` of one service."""

    def __init__(
        self, service: str, *, read: Callable[[asyncpg.Record], RawRecord], hide: Callable[[bytes], bytes] | None
    ) -> None:
        self._service = service
        self._table = f"{service}.parked"
        self._read = read
        self._hide = hide

    async def count_last_minute(self, connection: Connection, topics: Iterable[str]) -> int:
        """Return how many records of these topics were parked in the last minute although the service should have taken them."""
        return int(
            await connection.fetchval(
                f"SELECT count(*) FROM {self._table} WHERE parked_at > now() - interval '1 minute' "  # noqa: S608
                "AND why NOT IN ('waiting', 'refused') AND topic = ANY($1::text[])",
                list(topics),
            )
        )

    async def drop_known(self, connection: Connection, parked: Sequence[Parked]) -> list[Parked]:
        """Return those that are not in the table yet; the others were read again (a rewind, a restored database).

        A settled one that its request needs once more is opened again. A row from the same place of another log (topics
        made anew) gives way: its offset becomes -1 - offset, and it stays open or settled as it was.
        """
        if not parked:
            return []
        rows = await connection.fetch(
            f'SELECT * FROM {self._table} WHERE "offset" >= 0 AND (topic, partition, "offset") IN '  # noqa: S608
            "(SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[]))",
            *[list(column) for column in zip(*(one.raw[:3] for one in parked), strict=True)],
        )
        known = {(row["topic"], row["partition"], row["offset"]): row for row in rows}
        new: list[Parked] = []
        for one in parked:
            row = known.get(one.raw[:3])
            if row is None:
                new.append(one)
            elif not self._is_same(row, one.raw):
                await connection.execute(f'UPDATE {self._table} SET "offset" = -1 - "offset" WHERE id = $1', row["id"])  # noqa: S608
                new.append(one)
            elif one.sequence is not None and row["resolved_at"] is not None:
                await connection.execute(
                    f"UPDATE {self._table} SET resolved_at = NULL, resolution = NULL, why = $2 WHERE id = $1",  # noqa: S608
                    row["id"],
                    one.why,
                )
        return new

    def _is_same(self, row: asyncpg.Record, raw: RawRecord) -> bool:
        try:
            kept = self._read(row)
        except (Unreadable, RuntimeError):  # hidden under another key: rather parked twice than lost
            return False
        return (kept.key, kept.headers, kept.value) == (raw.key, raw.headers, raw.value)

    async def save(self, connection: Connection, folded: Folded[Any]) -> None:
        """Write what a batch parked, released and relabelled."""
        if folded.parked:
            await connection.execute(
                f'INSERT INTO {self._table} (request_id, authority, topic, partition, "offset", sequence, key, '  # noqa: S608
                "headers, value, hidden, why, detail, error_id) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], "
                "$4::int[], $5::bigint[], $6::int[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bool[], $11::text[], "
                '$12::text[], $13::text[]) ON CONFLICT (topic, partition, "offset") WHERE "offset" >= 0 DO NOTHING',
                *[list(column) for column in zip(*(self._row(one) for one in folded.parked), strict=True)],
            )
        if folded.released:
            await connection.execute(
                f"UPDATE {self._table} SET resolved_at = now(), resolution = told.how "  # noqa: S608
                "FROM unnest($1::bigint[], $2::text[]) AS told (id, how) WHERE parked.id = told.id AND resolved_at IS NULL",
                list(folded.released),
                list(folded.released.values()),
            )
        for parked_id, why, detail in folded.relabelled:
            await connection.execute(
                f"UPDATE {self._table} SET why = $2, detail = $3 WHERE id = $1",  # noqa: S608
                parked_id,
                why,
                detail,
            )

    def _row(self, one: Parked) -> tuple[object, ...]:
        value, hidden = self._kept_value(one.raw)
        raw = one.raw
        place = (raw.topic, raw.partition, raw.offset)
        detail = one.detail.replace("\0", "").encode(errors="replace").decode()[:_DETAIL]
        told = (one.why, detail, one.error_id)
        headers = encode_headers(raw.headers)
        return (one.request_id, one.authority, *place, one.sequence, raw.key, headers, value, hidden, *told)

    def _kept_value(self, raw: RawRecord) -> tuple[bytes | None, bool]:
        """Return the bytes to keep of a parked record, encrypted when its topic carries personal data in clear."""
        if raw.value is None or raw.topic not in _PERSONAL_IN_CLEAR:
            return raw.value, False
        if self._hide is None:
            raise RuntimeError(f"{raw.topic} carries personal data in clear: a service that reads it needs the vault")
        return self._hide(raw.value), True

    def dead_letter(self, one: Parked) -> Outgoing:
        """Return the copy for Kafka's tooling, cut to what Kafka surely takes: one that it refuses would stop the relay.

        The parked row has all of it.
        """
        raw = one.raw
        value, _ = self._kept_value(raw)
        fits = len(encode_headers(raw.headers)) + len(raw.key or b"") <= _COPIED_HEADERS  # as JSON no header is shorter
        if value is not None and len(value) > MAX_VALUE_BYTES:
            value = None
        reason = (("aiguilleur-why", one.why.encode()), ("aiguilleur-error-id", one.error_id.encode()))
        kept = encode_headers([*raw.headers, *reason] if fits else reason)
        name, key = dead_letters(_TOPIC[raw.topic], self._service), raw.key if fits else None
        if key is None and value is None:  # aiokafka sends no such record, and the relay would try for ever
            value = b""
        return Outgoing(one.request_id, name, key, None, "", None, None, value, kept)

    async def prune(self, connection: Connection) -> Pruned:
        """Forget records settled more than 14 days ago, and those of adapters after 7 days, settled or not.

        Of a numbered event that an operator skipped the note stays, without what it held: a rebuild has to skip it too.
        """
        rows = await connection.fetch(
            f"DELETE FROM {self._table} WHERE hidden AND parked_at < now() - interval '{HIDDEN_DAYS} days' "  # noqa: S608
            "RETURNING resolved_at IS NULL"
        )
        unsettled = sum(row[0] for row in rows)
        old = f"resolved_at < now() - interval '{SETTLED_DAYS} days'"
        note = "resolution = 'skipped' AND sequence IS NOT NULL"
        settled = await connection.fetch(f"DELETE FROM {self._table} WHERE {old} AND NOT ({note}) RETURNING 1")  # noqa: S608
        await connection.execute(
            f"UPDATE {self._table} SET value = NULL, headers = '[]' WHERE {old} AND {note} AND value IS NOT NULL"  # noqa: S608
        )
        return Pruned(len(rows) - unsettled + len(settled), unsettled)
