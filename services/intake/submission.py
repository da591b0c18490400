"""The one way in: what any channel hands over becomes a request here, or is refused with the fields that are wrong."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.intake.domain.announcement import announce
from services.intake.domain.command import SubmitRequest
from services.intake.domain.request import TrackedRequest
from services.intake.domain.validation import Fault, cleaned, find_faults
from services.intake.reference import new_reference
from services.intake.store import INSERT_KEY
from services.intake.tokens import Tokens, token_digest
from shared.clock import Clock
from shared.delivery.shell import RefusedByDatabase, Shell
from shared.delivery.values import Input, Ticket
from shared.events.content import Content
from shared.events.envelope import Received, Undecodable
from shared.events.inbound import Submission
from shared.identifiers import RequestIds
from shared.organisation import OrganisationSource
from shared.pages.problem import N_
from shared.vault.escrow import Escrow
from shared.vault.seal import Vault

_TRIES: Final = 3
_TOLD_FAULTS: Final = 10


class Invalid(Exception):
    """A submission that cannot be taken; `faults` say what to correct. Nothing was kept."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.pointer}: {fault.code}" for fault in faults))


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that is committed. `repeated`: it was there before, from the same ticket with the same content.

    `token` opens its tracking page; None only when every key that could have made it is gone from the settings.
    """

    request_id: UUID
    state: TrackedRequest
    token: str | None
    repeated: bool


class Acceptance:
    """Turns submissions into inputs of the shell: judged, with their promise, their id, their key, their contents sealed."""

    def __init__(self, *, organisation: OrganisationSource, clock: Clock, vault: Vault, escrow: Escrow | None = None) -> None:
        self.tokens = Tokens(vault)
        self._organisation = organisation
        self._clock = clock
        self._vault = vault
        self._escrow = escrow
        self._ids = RequestIds(clock)

    def ticket(self, submission: Submission, *, source: str, id: str) -> Ticket:
        """Return the ticket of a submission: the same source and id are taken once, and only with the same content."""
        return Ticket(source, id, self.tokens.fingerprint(submission.model_dump_json().encode()))

    def input_for(self, submission: Submission, ticket: Ticket | None = None) -> Input:
        """Return the input that creates the request, and its key along with it.

        Raises:
            Invalid: with every field that is wrong.
        """
        authorities = self._organisation.current.authorities
        authority = authorities.get(submission.authority)
        if authority is None:
            message = N_("Aucune collectivité n’a ce code ici.")
            raise Invalid((Fault(("authority",), "unknown", message, tuple(authorities)),))
        submission = cleaned(submission)
        if faults := find_faults(submission, authority):
            raise Invalid(faults)
        now = self._clock.now()
        announced = announce(submission, authority, now)
        request_id = self._ids.new()
        key, wrapped = self._vault.new_key(request_id)
        token = self.tokens.token(request_id)
        content = Content(
            name=submission.name,
            email=submission.email,
            phone=submission.phone,
            text=submission.text,
            answers=submission.answers,
            tracking_token=token,
        )
        command = SubmitRequest(
            reference=new_reference(),
            token_digest=token_digest(token),
            channel=submission.channel,
            service=submission.service,
            category=submission.category,
            language=submission.language,
            demande=announced.demande,
            received_at=now,
            promise=announced.promise,
            unowned_due_at=announced.unowned_due_at,
            sealed=key.seal(request_id, content),
            escrow=self._escrow.wrap(request_id, key) if self._escrow else None,
        )
        rows = ((INSERT_KEY, (request_id, authority.code, wrapped)),)
        return Input(request_id, authority.code, command, ticket=ticket, rows=rows, new=True)

    def admit(self, received: Received) -> Input:
        """Return the input of an event of `intake.inbound.v1`.

        Raises:
            Undecodable: it cannot be taken; the text names fields and what is allowed, never what they held.
        """
        event = received.event
        if not isinstance(event, Submission):
            raise TypeError(f"intake takes no {type(event).__name__}")
        try:
            return self.input_for(event)
        except Invalid as invalid:
            raise Undecodable("; ".join(_reason(fault) for fault in invalid.faults[:_TOLD_FAULTS])) from None


async def submit(
    shell: Shell[TrackedRequest], acceptance: Acceptance, submission: Submission, ticket: Ticket | None = None
) -> Accepted:
    """Take a submission and return once it is committed.

    Raises:
        Invalid: fields are wrong.
        Unavailable: PostgreSQL does not answer. Try again with the same ticket.
        DigestMismatch: the ticket was used for another content.
    """
    for left in reversed(range(_TRIES)):
        one = acceptance.input_for(submission, ticket)
        try:
            result = await shell.local.apply(one)
            break
        except RefusedByDatabase:  # the reference exists already, once in a million requests: draw another
            if not left:
                raise
    repeated = result.kind == "duplicate"
    state = await shell.find_state(result.request_id) if repeated else result.state
    if state is None:
        raise RuntimeError(f"request {result.request_id} was accepted but has no state")
    token = acceptance.tokens.token_of(result.request_id, state.token_digest)
    return Accepted(result.request_id, state, token, repeated)


def _reason(fault: Fault) -> str:
    # A question that is not asked was named by the sender: its name may say anything.
    path = fault.path[:1] if fault.path[0] == "answers" and fault.code == "unknown" else fault.path
    allowed = f" (allowed: {', '.join(fault.allowed)})" if fault.allowed else ""
    return f"{'.'.join(path)}: {fault.code.replace('_', ' ')}{allowed}"
