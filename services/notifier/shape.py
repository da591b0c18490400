"""The shape of a letter: all that it says apart from what is this request's own. Letters of one shape share their sheets."""

from dataclasses import dataclass
from typing import Any, Final

from services.notifier.domain.correspondence import Correspondence, Letter, Subject
from services.notifier.mime import one_line
from services.notifier.sheets import LetterSheet, Press, without_marks
from shared.events.content import Content
from shared.events.handling import Status
from shared.organisation import Authority, Category
from shared.organisation.service import Service
from shared.pages.colour import dark_palette

_NOBODYS: Final[frozenset[Status]] = frozenset({"registered", "resolved", "withdrawn", "erased"})
_COURT: Final = "tribunal administratif"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a sheet is made from. `has`: the blanks that there is something to write into, of those that may be left out."""

    authority: Authority
    kind: str
    recipient: str
    language: str
    service: str
    category: str | None
    channel: str
    mailbox: str
    promise_label: str
    has: frozenset[str]
    actions: tuple[str, ...]
    shows_due: bool
    demande: bool
    redirected: bool
    reason: str | None
    from_service: str | None
    asked_service: str | None
    promise: str | None
    level: int | None


def service_of(letter: Letter, subject: Subject, authority: Authority) -> Service:
    """Return the service that a letter speaks of.

    A receipt goes out before the router has spoken. It names the service that intake announced the delay for. A service that
    is gone from the configuration, or that nobody knows yet, is the front desk.
    """
    if letter.kind != "receipt":
        return authority.find_service(letter.service) or authority.front_desk_service
    return authority.owner_to_be(subject.service, subject.received_at)


def shape_of(
    letter: Letter,
    known: Correspondence,
    authority: Authority,
    *,
    subject: Subject,
    content: Content,
    mailbox: str,
    message: bool,
) -> Shape:
    """Return the shape of a letter. `mailbox` is where it goes, if to a service; `message`: it passes on what somebody wrote."""
    service = service_of(letter, subject, authority)
    to_usager = letter.recipient == "usager"
    category = authority.find_category(subject.category)
    given = {"name": content.name, "email": content.email, "phone": content.phone, "answers": content.answers, "message": message}
    return Shape(
        authority=authority,
        kind=letter.kind,
        recipient=letter.recipient,
        language=subject.language if to_usager and subject.language in authority.languages else authority.languages[0],
        service=service.code,
        category=category.code if category else None,
        channel=subject.channel,
        mailbox="" if to_usager else mailbox,
        promise_label=without_marks(one_line(subject.promise_label)),
        has=frozenset(name for name, value in given.items() if value),
        actions=() if to_usager else _actions_in(known.status),
        shows_due=letter.reason != "reopened" and letter.at < subject.due_at,
        demande=subject.demande,
        redirected=letter.kind == "receipt" and subject.service not in (None, service.code),
        reason=letter.reason,
        from_service=letter.from_service,
        asked_service=letter.asked_service if authority.find_service(letter.asked_service) else None,
        promise=letter.promise,
        level=letter.level,
    )


def _actions_in(status: Status) -> tuple[str, ...]:
    """Return what the links of a letter offer. The router decides what is allowed when one is followed."""
    if status in _NOBODYS:
        return ()
    rest = ("answer", "ask", "transfer", "resolve")
    return ("take_charge", *rest) if status == "assigned" else rest


def make_sheet(press: Press, shape: Shape) -> LetterSheet:
    """Return the sheets of a shape."""
    authority = shape.authority
    service = authority.service(shape.service)
    category = authority.find_category(shape.category)
    tell: Any = shape.recipient  # a recipient other than the usager is one of those that are told
    return press.make(
        shape.kind,
        shape.language,
        authority=authority,
        dark=dark_palette(authority.brand.primary),
        recipient=shape.recipient,
        service=service,
        contact=service.contact(authority),
        category=category,
        channel=shape.channel,
        mailbox=shape.mailbox,
        promise_label=shape.promise_label,
        has=shape.has,
        actions=shape.actions,
        shows_due=shape.shows_due,
        redirected=shape.redirected,
        reason=shape.reason,
        from_service=authority.find_service(shape.from_service),
        asked_service=authority.find_service(shape.asked_service),
        promise=shape.promise,
        level=shape.level,
        manager=authority.manager(service.code, tell) if shape.recipient != "usager" else None,
        silence=category.silence if category and shape.demande else None,
        names_court=_names_court(category),
        court=authority.legal.appeal_court,
        mediation=authority.legal.mediation,
    )


def _names_court(category: Category | None) -> bool:
    """Tell whether a receipt gives the administrative court's address and its delay of two months.

    Only where the category's own text on appeals speaks of that court: some decisions go before another one (the electoral
    roll: a commission, then the judicial court), and their usagers must not be sent astray.
    """
    return category is not None and category.appeal is not None and _COURT in category.appeal.lower()
