"""The pure core of the shell: a batch of inputs folded over the states of their requests.

No I/O, no clock, no logger. The real shell and the simulation run this same code. Whatever raises on account of one
input is caught here and charged to that input; the neighbours go on.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from shared.delivery.errors import InputRefused, place_of
from shared.delivery.run import ContextFor, Run, error_id_of
from shared.delivery.service import Service, StateCodec
from shared.delivery.values import Folded, Input, Known, Outgoing, Parked, ParkedWhy, Result, Saved, Taken
from shared.events.envelope import MAX_VALUE_BYTES, encode_value
from shared.events.traceparent import traceparent_of

S = TypeVar("S")


class DigestMismatch(Exception):
    """The same ticket (an Idempotency-Key, a CloudEvents id) came with another content."""


class Core(Generic[S]):
    """Folds batches for one service. Holds nothing that a batch changes."""

    def __init__(self, service: Service[S]) -> None:
        self.service = service
        self.codec: StateCodec[S] = StateCodec(service.state)
        self._place = {topic.name: place for place, topic in enumerate(service.sequenced)}
        self._outlets = len(service.produces)
        self._outlet: dict[type, tuple[int, str, bool]] = {
            cls: (place, topic.name, topic.key == "service")
            for place, topic in enumerate(service.produces)
            for cls in topic.types
        }

    def unknown(self) -> Known[S]:
        """Return what is known of a request that was never seen."""
        return Known(None, 0, [0] * len(self._place), [0] * self._outlets)

    def fold(
        self,
        inputs: Sequence[Input],
        known: Mapping[UUID, Known[S]],
        taken: Taken,
        context_for: ContextFor,
        *,
        alone: bool = False,
    ) -> Folded[S]:
        """Fold the inputs, in order, over the requests. `known` lacks those never seen; nothing passed in is changed.

        With `alone` the parked successors of an input stay parked, the first of them as one that needs a replay.
        After it: for each input one result; for each touched request one row to save; the records to publish; the rows of
        the service's own tables; what was parked, and which parked records were released.
        """
        folded: Folded[S] = Folded()
        results: list[Result[S] | None] = [None] * len(inputs)
        by_request: dict[UUID, list[tuple[int, Input]]] = {}
        fresh: dict[tuple[str, str], int] = {}
        again: list[tuple[int, int]] = []
        for place, one in enumerate(inputs):
            if one.ticket is not None:
                name = (one.ticket.source, one.ticket.id)
                if name in taken:
                    results[place] = _repeated(one, taken[name], folded)
                    continue
                if name in fresh:
                    again.append((place, fresh[name]))
                    continue
                fresh[name] = place
            by_request.setdefault(one.request_id, []).append((place, one))
        for request_id, mine in by_request.items():
            run = self._fold_request(request_id, mine, known.get(request_id) or self.unknown(), context_for, alone=alone)
            self._gather(folded, run)
            for place, result in run.results:
                results[place] = result
                ticket = inputs[place].ticket
                if ticket is not None and result.kind == "done":
                    folded.tickets.append((ticket, request_id))
        for place, first in again:
            results[place] = _same_as(inputs[place], inputs[first], results[first])
        folded.results = [result for result in results if result is not None]
        return folded

    def _fold_request(
        self, request_id: UUID, mine: list[tuple[int, Input]], before: Known[S], context_for: ContextFor, *, alone: bool
    ) -> Run[S]:
        try:
            return self._fold_inputs(Run(request_id, "", before, alone=alone), mine, context_for)
        except Exception:  # one of the inputs leads to a state that cannot be encoded or projected: find which
            return self._fold_inputs(Run(request_id, "", before, alone=alone, careful=True), mine, context_for)

    def _fold_inputs(self, run: Run[S], mine: list[tuple[int, Input]], context_for: ContextFor) -> Run[S]:
        for place, one in mine:
            run.results.append((place, self._take(run, one, context_for)))
        self._close(run)
        return run

    def _take(self, run: Run[S], one: Input, context_for: ContextFor) -> Result[S]:
        """Take one input if it is the next of its topic; else it is a duplicate, or is put aside."""
        if one.sequence is None or one.topic is None:
            return self._try(run, one, context_for)
        spot = self._place[one.topic]
        expected = run.seen[spot] + 1
        if one.sequence < expected:
            return run.drop(one)
        earlier = run.find_waiting(one.topic, one.sequence) if run.waiting and one.parked_id is None else None
        if earlier is not None:
            if earlier.input.fault is None or one.fault is not None:
                return run.drop(one)
            run.release(earlier, "replaced")  # what could not be read was sent anew, and can
            run.touched = True
        if one.sequence > expected:
            return _too_early(run, one, expected)
        result = self._try(run, one, context_for)
        if result.kind == "done":
            run.seen[spot] = one.sequence
            self._take_waiting(run, one.topic, spot, context_for)
        return result

    def _try(self, run: Run[S], one: Input, context_for: ContextFor) -> Result[S]:
        """Run the step; its fault is charged to the input, which is parked (a record) or failed (a local input)."""
        if one.fault is not None and not one.skip:
            return run.park(one, "undecodable", one.fault)
        try:
            result = self._advance(run, one, context_for)
        except Exception as error:  # the guard of the shell
            if one.raw is None:
                return Result("failed", run.request_id, error=error)
            return run.park(one, _why(error), describe(error))
        if one.parked_id is not None:
            run.release_id(one.parked_id, "skipped" if one.skip else "taken")
        return result

    def _advance(self, run: Run[S], one: Input, context_for: ContextFor) -> Result[S]:
        """Run the step on one input. When it raises, nothing of the run has changed."""
        if one.skip:
            run.rows += one.rows
            run.touched = True
            return Result("done", run.request_id, run.state)
        if one.authority and getattr(run.state, "authority", one.authority) != one.authority:
            raise InputRefused("the request belongs to another authority; skip this, and send it anew with the right one")
        change = self.service.step(run.state, one.event, context_for(one.authority, run.request_id), fact=one.fact)
        sent, outgoing = self._encode(run, one, change.events)
        if run.careful:
            self.codec.encode(change.state)
            tuple(self.service.project(run.request_id, run.known.state, change.state))
        run.authority = one.authority or run.authority  # what is parked has no say in whose request it is
        run.state = change.state
        run.sent = sent
        run.outbox += outgoing
        run.rows += one.rows
        run.touched = True
        return Result("done", run.request_id, change.state, change.events)

    def _take_waiting(self, run: Run[S], topic: str, spot: int, context_for: ContextFor) -> None:
        """Take the parked successors of what was just taken, for as long as they follow one another."""
        while run.waiting:
            following = run.find_waiting(topic, run.seen[spot] + 1)
            if following is None:
                _miss(run, topic, run.seen[spot] + 1)
                return
            if following.why not in ("gap", "waiting"):
                return
            if run.alone:
                run.relabel(following, "poison", "what came before was taken without this; replay this")
                return
            if following.input.fault is not None:
                run.relabel(following, "undecodable", following.input.fault)
                return
            try:
                self._advance(run, following.input, context_for)
            except Exception as error:  # the guard of the shell, as in _try
                run.relabel(following, _why(error), describe(error))
                return
            run.seen[spot] = following.sequence
            run.release(following)

    def _encode(self, run: Run[S], one: Input, events: Sequence[Any]) -> tuple[list[int], list[Outgoing]]:
        if not events:
            return run.sent, []
        sent, outgoing, request_id = list(run.sent), [], run.request_id
        request_key, seen = str(request_id).encode(), self._seen_with(run, one)
        trace = one.traceparent or traceparent_of(request_id)
        for event in events:
            place, topic, by_service = self._outlet[type(event)]
            sent[place] += 1
            key = f"{event.authority}/{event.service}".encode() if by_service else request_key
            value = encode_value(event)
            if len(value) > MAX_VALUE_BYTES:
                raise ValueError("an event would be larger than Kafka takes")
            row = Outgoing(request_id, topic, key, sent[place], event.type_, event.at, trace, value, None, seen)
            outgoing.append(row)
        return sent, outgoing

    def _seen_with(self, run: Run[S], one: Input) -> str:
        """Return what has been taken of the request, this input included: whoever folds the log again merges by it."""
        if one.topic is None or one.sequence is None:
            return ",".join(map(str, run.seen))
        seen = list(run.seen)
        seen[self._place[one.topic]] = one.sequence
        return ",".join(map(str, seen))

    def _close(self, run: Run[S]) -> None:
        """Project and encode the outcome. When it raises, some input of the run is to blame."""
        if run.state is not run.known.state:
            run.rows += tuple(self.service.project(run.request_id, run.known.state, run.state))
        run.encoded = self.codec.encode(run.state)

    @staticmethod
    def _gather(folded: Folded[S], run: Run[S]) -> None:
        folded.relabelled += run.relabelled
        if not run.touched:
            return
        folded.saved.append(
            Saved(
                request_id=run.request_id,
                authority=run.authority,
                revision=run.known.revision + 1,
                held=bool(run.waiting),
                state=run.encoded,
                seen=tuple(run.seen),
                sent=tuple(run.sent),
            )
        )
        folded.outbox += run.outbox
        folded.parked += run.parked.values()
        folded.released |= run.released
        for statement, row in run.rows:
            folded.rows.setdefault(statement, []).append(row)


def _repeated(one: Input, earlier: tuple[bytes | None, UUID], folded: Folded[Any]) -> Result[Any]:
    """Pass over an input whose ticket was taken. A record under the ticket of a page or the API is no duplicate: it is parked."""
    digest, request_id = earlier
    if one.ticket is None or one.ticket.digest == digest:
        if one.parked_id is not None:
            folded.released[one.parked_id] = "duplicate"
        return Result("duplicate", request_id)
    if one.raw is None:
        return Result("failed", request_id, error=DigestMismatch("the same key came with another content"))
    if one.parked_id is None:
        folded.parked.append(Parked(one.raw, "refused", _NOT_ITS_OWN, error_id_of(one.raw)))
    return Result("parked", one.request_id)


_NOT_ITS_OWN: Final = "its ce_source and ce_id are those of a page or the API; send it anew under a source of its own"


def _same_as(one: Input, first: Input, result: Result[Any] | None) -> Result[Any]:
    """Return what becomes of the second input of one ticket within a batch: the answer of the first, taken or not."""
    assert result is not None, "the first input of a ticket has its result before the second"
    if one.ticket is not None and first.ticket is not None and one.ticket.digest != first.ticket.digest:
        return Result("failed", one.request_id, error=DigestMismatch("the same key came with another content"))
    return Result("failed" if result.kind == "failed" else "duplicate", result.request_id, error=result.error)


def _too_early(run: Run[S], one: Input, expected: int) -> Result[S]:
    """Put an input aside that came before its predecessor."""
    detail = f"expected sequence {expected}, got {one.sequence}"
    if one.raw is None:
        return Result("failed", run.request_id, error=InputRefused(detail))
    assert one.topic is not None, "what has a sequence has a topic"
    return run.park(one, "waiting" if run.find_waiting(one.topic, expected) else "gap", detail)


def _miss(run: Run[Any], topic: str, expected: int) -> None:
    """Say that an event is missing, of the first that waited for a parked one: that is taken, and this does not follow it."""
    mine = (one for one in run.waiting if one.topic == topic)
    first = min(mine, key=operator.attrgetter("sequence"), default=None)
    if first is not None and first.why == "waiting":
        run.relabel(first, "gap", f"expected sequence {expected}, got {first.sequence}")


def _why(error: Exception) -> ParkedWhy:
    return "refused" if isinstance(error, InputRefused) else "poison"


def describe(error: Exception) -> str:
    """Name an exception and where it arose, without its text: the text may hold what a usager wrote. A refusal tells its own."""
    if isinstance(error, InputRefused):
        return str(error)
    place = place_of(error)
    return f"{type(error).__name__} at {place}" if place else type(error).__name__
