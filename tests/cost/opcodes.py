"""What pure work costs in instructions of Python's virtual machine: the same number on any machine, for one version of Python."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any
from uuid import UUID

from deploy.local.town import ORGANISATION
from services.intake.service import INTAKE
from services.intake.submission import Acceptance
from services.notifier.service import NOTIFIER
from services.router.service import ROUTER
from services.sla.service import SLA
from services.stats.service import STATS
from shared.clock import SetClock
from shared.delivery.core import Core
from shared.delivery.reader import Reader
from shared.delivery.service import Context, Service
from shared.delivery.values import Input, RawRecord
from shared.events.inbound import Submission
from shared.organisation import OrganisationSource, load
from shared.vault.seal import Vault
from tests.cost.records import SUBMISSION, first_records, of_outbox
from tests.notifier.conftest import Notifier, Story

COUNT = 50
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_TOWN = load(ORGANISATION).authority("rivemont")


def count(work: Callable[[], object]) -> int:
    """Return how many instructions of Python's a piece of work takes, what C code does not counted."""
    counted = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal counted
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted += event == "opcode"
        return trace

    work()  # warms up what is kept between calls
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def _context(_code: str, request_id: UUID) -> Context:
    return Context(AT, _TOWN, request_id)


def _taken(service: Service[Any], records: list[RawRecord]) -> Callable[[], Any]:
    core: Core[Any] = Core(service)
    reader = Reader(frozenset(topic.name for topic in service.sequenced), {}, None)

    def take() -> Any:
        read = [reader.read(raw) for raw in records]
        folded = core.fold([one for one in read if isinstance(one, Input)], {}, {}, _context)
        assert not folded.parked and len(folded.results) == len(records), f"{service.name}: {folded.parked[:1]}"
        return folded

    return take


def measured() -> dict[str, int]:
    """Return instructions by piece of work: reading and folding one record, accepting one submission, composing one letter."""
    received = first_records(COUNT, AT)
    life = of_outbox(_taken(ROUTER, received)().outbox, "handling.v1")
    told: dict[str, int] = {}
    for service in (INTAKE, SLA, NOTIFIER, STATS, ROUTER):
        topics = {topic.name for topic in service.consumes}
        records = [raw for raw in (*received, *life) if raw.topic in topics]
        told[f"{service.name}: read and fold a record"] = count(_taken(service, records)) // len(records)
    vault = Vault({1: bytes(32)})
    acceptance = Acceptance(organisation=OrganisationSource(ORGANISATION), clock=SetClock(AT), vault=vault)
    told["intake: accept a submission"] = count(lambda: acceptance.input_for(Submission.model_validate_json(SUBMISSION)))
    story, notifier = Story(), Notifier(_TOWN)
    notifier.take(story.received(), story.assigned())
    for letter in ("receipt", "assignment.2"):
        told[f"notifier: compose {letter}"] = count(lambda letter=letter: notifier.mail(letter, story))  # type: ignore[misc]
    return told
