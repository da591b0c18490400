"""From raw records to inputs of the fold."""

from collections.abc import Callable, Mapping
from uuid import UUID

from asyncpg import Record

from shared.delivery.core import describe
from shared.delivery.errors import InputRefused
from shared.delivery.parked_rows import decode_headers
from shared.delivery.run import error_id_of
from shared.delivery.values import Input, Parked, RawRecord, Ticket, Waiting
from shared.events.envelope import Received, Undecodable, decode, read_sequence

Admission = Callable[[Received], Input]
"""How a service takes in an event of a topic that is open to others: its request, its command, the rows to write along."""


class Reader:
    """Decodes records, each on its own: one that cannot be read is a value, never an exception."""

    def __init__(
        self, sequenced: frozenset[str], admissions: Mapping[str, Admission], reveal: Callable[[bytes], bytes] | None
    ) -> None:
        self._sequenced = sequenced
        self._admissions = admissions
        self._reveal = reveal

    def read(self, raw: RawRecord) -> Input | Parked:
        """Return the input that a record is, or the record parked with a readable reason."""
        headers = dict(raw.headers)
        try:
            received = decode(raw.topic, headers, raw.value)
            return self._input(raw, received)
        except InputRefused as error:
            return Parked(raw, "refused", str(error), error_id_of(raw))
        except Undecodable as error:
            return self._unreadable(raw, headers, str(error))
        except Exception as error:  # a validator or an admission that stumbles over one record must not stop the others
            return self._unreadable(raw, headers, describe(error))

    def _unreadable(self, raw: RawRecord, headers: Mapping[str, bytes], fault: str) -> Input | Parked:
        place = _place_in_life(raw, headers) if raw.topic in self._sequenced else None
        if place is None:
            return Parked(raw, "undecodable", fault, error_id_of(raw))
        request_id, sequence = place
        return Input(request_id, "", None, True, raw.topic, sequence, raw=raw, fault=fault)

    def _input(self, raw: RawRecord, received: Received) -> Input:
        event = received.event
        if raw.topic in self._sequenced:
            request_id: UUID = event.request_id  # type: ignore[attr-defined]  # events of sequenced topics have it
            if raw.key != str(request_id).encode():
                raise Undecodable("the record's key is not the request id of its event")
            return Input(
                request_id=request_id,
                authority=event.authority,  # type: ignore[attr-defined]  # as above
                event=event,
                fact=True,
                topic=raw.topic,
                sequence=received.sequence,
                traceparent=received.traceparent,
                raw=raw,
            )
        ticket = Ticket(received.source, received.id)
        admit = self._admissions.get(raw.topic, _as_it_is)
        return admit(received)._replace(topic=raw.topic, ticket=ticket, raw=raw, traceparent=received.traceparent)

    def read_parked(self, row: Record) -> RawRecord:
        """Return the record that a parked row keeps."""
        value = row["value"]
        if row["hidden"] and value is not None:
            if self._reveal is None:
                raise RuntimeError("this parked record is encrypted: its service needs the vault's keys to try it again")
            value = self._reveal(value)
        headers = tuple(decode_headers(row["headers"]))
        return RawRecord(row["topic"], row["partition"], row["offset"], row["key"], headers, value)

    def read_waiting(self, row: Record, parked_id: int) -> Waiting | None:
        """Return an open parked row of a held request as the fold sees it."""
        read = self.read(self.read_parked(row))
        return Waiting(parked_id, row["topic"], row["sequence"], row["why"], read) if isinstance(read, Input) else None


def _as_it_is(received: Received) -> Input:
    event = received.event
    return Input(request_id=event.request_id, authority=event.authority, event=event)  # type: ignore[attr-defined]  # open topics without an admission carry commands


def _place_in_life(raw: RawRecord, headers: Mapping[str, bytes]) -> tuple[UUID, int] | None:
    """Return the request and the sequence that an undecodable record claims, so that its successors wait for it."""
    try:
        return UUID((raw.key or b"").decode()), read_sequence(headers.get("ce_sequence", b"").decode())
    except (ValueError, Undecodable):
        return None
