"""What the store keeps, in memory: enough to run the pure core over many batches, as a simulation does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.delivery.core import Core
from shared.delivery.reader import Reader
from shared.delivery.service import Context
from shared.delivery.values import Folded, Input, Known, Outgoing, Parked, ParkedWhy, RawRecord, Result, Waiting
from shared.organisation import Authority
from tests.delivery.sample import NOW, SAMPLE, Notes


@dataclass
class Row:
    parked: Parked
    why: ParkedWhy
    resolution: str | None = None


class Memory:
    """States, sequences, parked records and outbox of the sample service."""

    def __init__(self, authority: Authority) -> None:
        self.core = Core(SAMPLE)
        self.reader = Reader(frozenset(topic.name for topic in SAMPLE.sequenced), {}, None)
        self.saved: dict[UUID, tuple[bytes | None, int, list[int], list[int], bool]] = {}
        self.parked: list[Row] = []
        self.outbox: list[Outgoing] = []
        self.tickets: dict[tuple[str, str], tuple[bytes | None, UUID]] = {}
        self._authority = authority

    def deliver(self, *records: RawRecord) -> list[Result[Notes]]:
        """Take records in one batch."""
        read = [self.reader.read(raw) for raw in records]
        self.parked += [Row(one, one.why) for one in read if isinstance(one, Parked)]
        return self.run(*[one for one in read if isinstance(one, Input)])

    def run(self, *inputs: Input, alone: bool = False) -> list[Result[Notes]]:
        """Fold inputs in one batch and keep what changed."""
        known = self._known({one.request_id for one in inputs})
        folded = self.core.fold(inputs, known, self.tickets, self._context, alone=alone)
        assert len(folded.results) == len(inputs)
        self._keep(folded)
        return folded.results

    def replay(self, *, skip: bool = False, why: str | None = None) -> None:
        """Try the open parked records again, one batch each, in their order."""
        order = sorted(range(len(self.parked)), key=lambda place: (self.parked[place].parked.sequence or 0, place))
        for place in order:
            row = self.parked[place]
            if row.resolution is None and (why is None or row.why == why):
                read = self.reader.read(row.parked.raw)
                assert isinstance(read, Input)
                self.run(read._replace(parked_id=place + 1, skip=skip))

    def notes(self, request_id: UUID) -> Notes | None:
        """The state of a request."""
        return self.core.codec.decode(self.saved[request_id][0]) if request_id in self.saved else None

    def held(self, request_id: UUID) -> bool:
        """Whether something of the request is parked."""
        return self.saved[request_id][4]

    def open(self) -> list[tuple[int | None, ParkedWhy]]:
        """Sequence and reason of what is parked."""
        return [(row.parked.sequence, row.why) for row in self.parked if row.resolution is None]

    def said(self, request_id: UUID) -> list[tuple[int | None, bytes | None]]:
        """What was put into the outbox about a request."""
        return [(one.sequence, one.value) for one in self.outbox if one.request_id == request_id]

    def _known(self, ids: set[UUID]) -> Mapping[UUID, Known[Notes]]:
        known: dict[UUID, Known[Notes]] = {}
        for request_id in ids & self.saved.keys():
            state, revision, seen, sent, held = self.saved[request_id]
            known[request_id] = Known(self.core.codec.decode(state), revision, list(seen), list(sent), held)
            for place, row in enumerate(self.parked):
                if row.resolution is None and row.parked.request_id == request_id and row.parked.sequence is not None:
                    read = self.reader.read(row.parked.raw)
                    assert isinstance(read, Input)
                    raw = row.parked.raw
                    known[request_id].waiting.append(Waiting(place + 1, raw.topic, row.parked.sequence, row.why, read))
            known[request_id].waiting.sort(key=lambda one: (one.topic, one.sequence))
        return known

    def _keep(self, folded: Folded[Notes]) -> None:
        for one in folded.saved:
            assert one.revision == (self.saved[one.request_id][1] if one.request_id in self.saved else 0) + 1
            self.saved[one.request_id] = (one.state, one.revision, list(one.seen), list(one.sent), one.held)
        self.outbox += folded.outbox
        for parked_id, how in folded.released.items():
            assert self.parked[parked_id - 1].resolution is None
            self.parked[parked_id - 1].resolution = how
        for parked_id, why, _ in folded.relabelled:
            self.parked[parked_id - 1].why = why
        self.parked += [Row(one, one.why) for one in folded.parked]
        self.tickets |= {(ticket.source, ticket.id): (ticket.digest, request_id) for ticket, request_id in folded.tickets}

    def _context(self, _code: str, request_id: UUID) -> Context:
        return Context(NOW, self._authority, request_id)


def sequences(said: Sequence[tuple[int | None, bytes | None]]) -> list[int | None]:
    """The numbers that outgoing events carry."""
    return [sequence for sequence, _ in said]
