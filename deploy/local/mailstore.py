"""Mails as .eml files in a folder, with an index that is read without parsing them again."""

import email
import email.policy
import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import Message
from itertools import islice
from pathlib import Path

LINK = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True)
class Summary:
    """`sender` and `recipients` are the envelope's, which the headers may contradict."""

    id: str
    received_at: str
    sender: str
    recipients: list[str]
    subject: str
    message_id: str
    from_header: str
    to_header: str
    size: int


@dataclass(frozen=True)
class Mail:
    summary: Summary
    headers: list[tuple[str, str]]
    text: str
    html: str
    links: list[str]
    attachments: list[str]


class MailStore:
    """One writer at a time: the sink is a single process. A later run on the same folder keeps the mails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / "index.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        lines = self._index.read_text(encoding="utf-8").splitlines() if self._index.exists() else []
        self._summaries = {line["id"]: Summary(**line) for line in map(json.loads, lines)}

    def save(self, *, sender: str, recipients: list[str], content: bytes) -> Summary:
        last = next(reversed(self._summaries), "0")
        message = _parsed(content)
        summary = Summary(
            id=f"{int(last) + 1:06d}",
            received_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            sender=sender,
            recipients=recipients,
            subject=_readable(message["Subject"]),
            message_id=_readable(message["Message-ID"]),
            from_header=_readable(message["From"]),
            to_header=_readable(message["To"]),
            size=len(content),
        )
        self._file(summary.id).write_bytes(content)
        with self._index.open("a", encoding="utf-8") as index:
            index.write(json.dumps(asdict(summary), ensure_ascii=False) + "\n")
        self._summaries[summary.id] = summary
        return summary

    def list_mails(self, *, to: str = "", after: str = "", limit: int | None = None) -> list[Summary]:
        """Oldest first; `to` is an envelope recipient, `after` the id of a mail already seen."""
        found = (
            summary
            for summary in self._summaries.values()
            if summary.id > after and (not to or to.lower() in (address.lower() for address in summary.recipients))
        )
        return list(islice(found, limit))

    def find(self, mail_id: str) -> Mail | None:
        summary = self._summaries.get(mail_id)
        if summary is None:
            return None
        message = _parsed(self.raw(mail_id))
        text, html = _part(message, "text/plain"), _part(message, "text/html")
        return Mail(
            summary=summary,
            headers=[(name, _readable(value)) for name, value in message.items()],
            text=text,
            html=html,
            links=_links(text, html),
            attachments=[_readable(part.get_filename()) for part in message.walk() if part.get_filename()],
        )

    def raw(self, mail_id: str) -> bytes:
        return self._file(mail_id).read_bytes()

    def clear(self) -> None:
        """Numbers start again at 1."""
        for mail_id in self._summaries:
            self._file(mail_id).unlink(missing_ok=True)
        self._index.unlink(missing_ok=True)
        self._summaries.clear()

    def _file(self, mail_id: str) -> Path:
        return self._folder / f"{mail_id}.eml"


def message_id_of(content: bytes) -> str:
    """The Message-ID of a mail, "" where it has none."""
    return _readable(_parsed(content)["Message-ID"])


def _parsed(content: bytes) -> Message:
    """compat32: policy.default raises on some of the mails that exist in the world."""
    return email.message_from_bytes(content, policy=email.policy.compat32)


def _readable(value: object) -> str:
    """A header as a person reads it; what can't be decoded is shown as it came."""
    text = "" if value is None else str(value)
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError, UnicodeError):
        return text


def _part(message: Message, content_type: str) -> str:
    for part in message.walk():
        if part.get_content_type() == content_type and not part.get_filename():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return _decoded(payload, part.get_content_charset() or "utf-8")
    return ""


def _decoded(payload: bytes, charset: str) -> str:
    try:
        return payload.decode(charset, errors="replace")
    except LookupError:
        return payload.decode("utf-8", errors="replace")


def _links(text: str, html: str) -> list[str]:
    """Each once, in order: those of the text part, then those that only the HTML part has."""
    in_html = [link.replace("&amp;", "&") for link in re.findall(r'href="(https?://[^"]+)"', html)]
    return list(dict.fromkeys([*(link.rstrip(".,;:!?") for link in LINK.findall(text)), *in_html]))
