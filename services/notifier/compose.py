"""From a letter to a mail: addresses, words, links, headers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote
from uuid import UUID

from markupsafe import escape

from services.notifier import words
from services.notifier.domain.correspondence import Correspondence, Letter, Subject
from services.notifier.mime import assemble, clean, mailbox, one_line, unstructured
from services.notifier.shape import Shape, make_sheet, service_of, shape_of
from services.notifier.sheets import LetterSheet, Press
from shared.actions.link import LIFETIME, Link, LinkAction, Links
from shared.events.content import AgentAct, Content, UsagerMessage
from shared.mail_address import BadAddress, Mailbox, parse_address
from shared.organisation import Authority
from shared.vault.seal import RequestKey, opened

_SHEETS: Final = 4096
_BY_USAGER: Final = frozenset({"usager_message"})
LOST: Final = Content(
    name=None,
    email=None,
    phone=None,
    text="(Le contenu de cette demande ne peut plus être lu : il a été perdu à la suite d’un incident.)",
    tracking_token="",
)
"""What a service reads of a request whose key was lost with a database (docs/operations/restore-postgresql.md)."""


class Undeliverable(Exception):
    """The letter can never be sent. `why` is a code for MailFailed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, ready to be handed over. `sender` is the envelope's; "" where nothing may come back (RFC 3834, 3.3)."""

    sender: str
    recipient: Mailbox
    content: bytes


@dataclass(frozen=True, slots=True)
class _Opened:
    """A letter with all that it needs, its contents in clear. It lives for as long as the mail is written."""

    request_id: UUID
    letter: Letter
    known: Correspondence
    subject: Subject
    content: Content
    message: str
    mailbox: str
    authority: Authority
    language: str


class Composer:
    """Writes mails. One per process: it keeps the sheets."""

    def __init__(
        self, links: Links, *, agents_url: str, site_url: str | None, sender: str | None = None, bounces: str | None = None
    ) -> None:
        self._links = links
        self._agents_url = agents_url.rstrip("/")
        self._site_url = site_url.rstrip("/") if site_url else None
        self._sender = sender
        self._bounces = bounces
        self._press = Press()
        self._sheet: Callable[[Shape], LetterSheet] = lru_cache(maxsize=_SHEETS)(self._make_sheet)

    def prepare(self, languages: Iterable[str]) -> None:
        """Make ready for letters in these languages, so that the first ones are as quick as the others."""
        for language in languages:
            self._press.prepare(language)

    def _make_sheet(self, shape: Shape) -> LetterSheet:
        return make_sheet(self._press, shape)

    def compose(
        self,
        name: str,
        letter: Letter,
        known: Correspondence,
        *,
        request_id: UUID,
        authority: Authority,
        key: RequestKey,
        now: datetime,
    ) -> Mail:
        """Return the mail of a letter.

        Raises:
            Undeliverable: no_address (the usager gave none), bad_address, erased, unreadable.
        """
        subject = known.subject
        if subject is None or subject.sealed is None:
            raise Undeliverable("erased")
        content = opened(key, request_id, subject.sealed, Content)
        message = _message(letter, key, request_id)
        if letter.recipient == "usager" and (content is None or message is None):
            raise Undeliverable("unreadable")
        content, message = content or LOST, message or ""
        address = self._address(letter, subject, content, authority, now)
        shape = shape_of(
            letter, known, authority, subject=subject, content=content, mailbox=address.address, message=bool(message)
        )
        clear = _Opened(request_id, letter, known, subject, content, message, address.address, authority, shape.language)
        sheet = self._sheet(shape)
        values = self._values(clear, sheet.blanks)
        text = sheet.text.encode(_as_text(values, quoted=letter.recipient != "usager"))
        html = sheet.html.encode(_as_html(values, sheet.html.blanks))
        headers = self._headers(name, clear, sheet.subject.fill(values), address, now)
        sender = "" if letter.kind == "receipt" else self._bounces or self._sender_of(authority)
        return Mail(sender, address, assemble(headers, text=text, html=html))

    @staticmethod
    def _address(letter: Letter, subject: Subject, content: Content, authority: Authority, now: datetime) -> Mailbox:
        service = service_of(letter, subject, authority).code
        if letter.recipient == "usager":
            if content.email is None:
                raise Undeliverable("no_address")
            found = content.email
        elif letter.recipient == "service":
            found = authority.mailbox(service)
        else:
            found = authority.recipient(service, letter.recipient, at=now)
        try:
            return parse_address(found)
        except BadAddress:
            raise Undeliverable("bad_address") from None

    def _sender_of(self, authority: Authority) -> str:
        return self._sender.replace("{authority}", authority.code) if self._sender else authority.email

    def _headers(self, name: str, opened: _Opened, subject: str, address: Mailbox, now: datetime) -> list[tuple[str, str]]:
        """Return the headers. Of the usager they hold the address in To, and nothing else.

        All letters about a request refer to one id that no mail has, so that each mailbox shows them as one thread.
        """
        authority, letter = opened.authority, opened.letter
        sender = self._sender_of(authority)
        domain = parse_address(sender).domain
        thread = f"<{opened.request_id}@{domain}>"
        service = service_of(letter, opened.subject, authority)
        to_usager = letter.recipient == "usager"
        headers = [
            ("From", mailbox(authority.name, sender)),
            ("To", mailbox(service.name, address.address) if letter.recipient == "service" else f"<{address.address}>"),
            ("Subject", unstructured(subject)),
            ("Date", format_datetime(now)),
            ("Message-ID", f"<{name}.{opened.request_id}@{domain}>"),
            ("In-Reply-To", thread),
            ("References", thread),
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
            ("Content-Language", opened.language),
        ]
        if to_usager:
            contact = service.contact(authority)
            headers.insert(2, ("Reply-To", mailbox(contact.name, contact.email)))
        return headers

    def _values(self, opened: _Opened, blanks: frozenset[str]) -> dict[str, str]:
        """Return what goes into the blanks, cleaned, but not yet fit for a text or for HTML."""
        letter, subject, content = opened.letter, opened.subject, opened.content
        zone, language = opened.authority.settings.timezone, opened.language
        category = opened.authority.find_category(subject.category)
        due_at = letter.due_at or subject.due_at
        values = {
            "reference": one_line(subject.reference),
            "received_on": words.in_full(subject.received_at, zone, language),
            "due": words.in_full(due_at, zone, language),
            "due_short": words.in_short(due_at, zone, language),
            "name": one_line(content.name or ""),
            "email": one_line(content.email or ""),
            "phone": one_line(content.phone or ""),
            "text": clean(content.text),
            "message": clean(opened.message),
        }
        if "answers" in blanks:
            told = words.answers_in_words(content.answers, category, language)
            values["answers"] = "\n".join(f"{one_line(label)}\t{one_line(answer)}" for label, answer in told)
        if "silence_on" in blanks and category is not None and category.silence is not None:
            received = subject.received_at.astimezone(opened.authority.timezone).date()
            silence_on = words.months_after(received, category.silence.months)
            values["silence_on"] = words.day_in_full(silence_on, language)
            zone = opened.authority.calendar_of(service_of(letter, subject, opened.authority).code).calendar.zone
            values["appeal_until"] = words.day_in_full(words.last_day_of_appeal(silence_on, zone), language)
        for blank in blanks:
            if blank == "tracking_url":
                values[blank] = self._tracking_url(opened)
            elif blank.endswith("_url"):
                values[blank] = self._action_url(opened, blank.removesuffix("_url"))
        return values

    def _tracking_url(self, opened: _Opened) -> str:
        site = self._site_url or opened.authority.public_url
        return f"{site}/{opened.authority.code}/suivi/{quote(opened.content.tracking_token, safe='')}"

    def _action_url(self, opened: _Opened, action: LinkAction | str) -> str:
        """Return a signed link for the reader of the mailbox that the mail goes to, good for the request as it is now."""
        link = Link(
            request_id=opened.request_id,
            authority=opened.authority.code,
            action=action,  # type: ignore[arg-type]  # the names of blanks; Links refuses any other
            version=opened.known.version,
            agent=opened.mailbox,
            expires_at=opened.letter.at + LIFETIME,
        )
        return f"{self._agents_url}/a/{self._links.mint(link)}"


def _message(letter: Letter, key: RequestKey, request_id: UUID) -> str | None:
    """Return what the letter passes on: of the usager, or of an agent. "" when there is nothing; None: it cannot be read."""
    if letter.sealed is None:
        return ""
    if letter.kind in _BY_USAGER or letter.reason == "reopened":
        said = opened(key, request_id, letter.sealed, UsagerMessage)
        return said.text if said else None
    act = opened(key, request_id, letter.sealed, AgentAct)
    return (act.text or "") if act else None


def _as_text(values: Mapping[str, str], *, quoted: bool) -> dict[str, str]:
    """Return values fit for plain text. What the usager wrote stands behind ">", so that it cannot pass for ours."""
    told = dict(values)
    for name in ("text", "message"):
        if name == "text" or quoted:
            told[name] = "> " + values[name].replace("\n", "\n> ")
    if "answers" in values:
        told["answers"] = values["answers"].replace("\t", "\u00a0: ")
    return told


def _as_html(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return these values fit for HTML: everything escaped."""
    told = {name: str(escape(values[name])) for name in set(names)}
    for name in ("text", "message"):
        if name in told:
            told[name] = told[name].replace("\n", "<br>\n")
    if "answers" in told:
        pairs = (line.split("\t") for line in told["answers"].split("\n"))
        told["answers"] = "".join(_ANSWER.format(*pair) for pair in pairs)
    return told


_ANSWER: Final = (
    '<dt class="quiet" style="margin:0;font-size:14px;color:#57606a">{}</dt><dd style="margin:0 0 10px;font-weight:600">{}</dd>'
)
