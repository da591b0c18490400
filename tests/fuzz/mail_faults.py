"""What must not be in a mail, whoever wrote what into it: read from its bytes, line by line, and by Python's strict parser."""

import email
import email.policy
import re
import unicodedata
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Final

LONGEST_LINE: Final = 998
"""Octets of a line without its CRLF (RFC 5322, 2.1.1)."""
_TO_SERVICE: Final = (
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
)  # fmt: skip
_TO_USAGER: Final = ("From", "To", "Reply-To", *_TO_SERVICE[2:])
_TAGS: Final = frozenset(["html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "p", "a", "dl", "dt", "dd", "br"])
_ATTRIBUTES: Final = frozenset(["lang", "dir", "charset", "name", "content", "class", "style", "role", "aria-label", "href"])
_HEADER: Final = re.compile(rb"[!-9;-~]+: [ -~\x80-\xff]*")
_BIDI: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def readable(text: str) -> str:
    """Return a text as its reader must get it: what intake's README says of texts, worked out from Unicode's categories.

    Composed (NFC), its line ends line feeds, without control characters, halves of characters, separators of lines, and
    marks that turn the direction of reading; nothing around it.
    """
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = (
        one for one in lines if one in "\n\t" or (unicodedata.category(one) not in ("Cc", "Cs", "Zl", "Zp") and one not in _BIDI)
    )
    return "".join(kept).strip()


def in_one_line(text: str) -> str:
    """Return a readable text as one line with single spaces."""
    return " ".join(readable(text).split())


class _Page(HTMLParser):
    """The tags of an HTML part, and its words as a reader sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.faults.append(f"a <{tag}> that no template has")
        self.faults += [f"an attribute {name} that no template has" for name, _ in attrs if name not in _ATTRIBUTES]
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        self.faults.append("a comment")

    def unknown_decl(self, data: str) -> None:
        self.faults.append("a declaration")


def faults_of(
    content: bytes, *, recipient: str, to_usager: bool, sites: tuple[str, ...], holds: tuple[str, ...]
) -> Iterator[str]:
    """Yield what is wrong with a mail. `holds`: texts that both parts must say; `sites`: where links may lead."""
    yield from _faults_of_lines(content)
    head = content.partition(b"\r\n\r\n")[0]
    yield from _faults_of_head(head, utf8=not recipient.isascii(), to_usager=to_usager)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    yield from _faults_of_addresses(message, recipient)
    parts = list(message.walk())
    if (types := [part.get_content_type() for part in parts]) != ["multipart/alternative", "text/plain", "text/html"]:
        yield f"its parts are {types}"
        return
    yield from (f"a defect: {defect!r}" for part in parts for defect in part.defects)
    raw_utf8 = "" if recipient.isascii() else "To"  # RFC 6532, which this parser does not know
    yield from (f"a defect of {name}" for name, value in message.items() if value.defects and name != raw_utf8)
    text, html = (str(part.get_content()).replace("\r\n", "\n") for part in parts[1:])
    yield from _faults_of_texts(text, html, sites=sites, holds=holds)


def _faults_of_lines(content: bytes) -> Iterator[str]:
    if not content.endswith(b"\r\n"):
        yield "it does not end with a line end"
    lines = content.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        yield "a bare CR or LF"
    if b"\0" in content:
        yield "a NUL"
    if longest := max((len(line) for line in lines if len(line) > LONGEST_LINE), default=0):
        yield f"a line of {longest} bytes"
    boundaries = [line for line in lines if line.startswith(b"--=_aiguilleur")]
    if boundaries != [b"--=_aiguilleur", b"--=_aiguilleur", b"--=_aiguilleur--"]:
        yield f"{len(boundaries)} boundaries"


def _faults_of_head(head: bytes, *, utf8: bool, to_usager: bool) -> Iterator[str]:
    """The lines of the head by themselves: names, in order; folded lines begin with a space; no byte over 127 but in To."""
    names = []
    for line in head.split(b"\r\n"):
        if line.startswith(b" "):
            if not line.strip():
                yield "an empty folded line"
        elif _HEADER.fullmatch(line):
            names.append(line.split(b":")[0].decode())
        else:
            yield "a line of the head that is no header"
        if not line.isascii() and not (utf8 and line.startswith(b"To: ")):
            yield "a byte over 127 in the head"
    if tuple(names) != (_TO_USAGER if to_usager else _TO_SERVICE):
        yield f"its headers are {names}"


def _faults_of_addresses(message: EmailMessage, recipient: str) -> Iterator[str]:
    to = [str(one.addr_spec).replace('"', "") for one in message["To"].addresses]
    if recipient.isascii() and to != [recipient.replace('"', "")]:  # quotes around a local part say nothing (RFC 5321, 4.1.2)
        yield "To names somebody else"
    for name in ("From", "Reply-To"):
        if message[name] and len(message[name].addresses) != 1:
            yield f"{name} has {len(message[name].addresses)} addresses"


def _faults_of_texts(text: str, html: str, *, sites: tuple[str, ...], holds: tuple[str, ...]) -> Iterator[str]:
    page = _Page(html)
    yield from page.faults
    yield from ("a link to elsewhere" for link in page.links if not link.startswith(sites))
    plain = "\n".join(line.removeprefix("> ") for line in text.split("\n"))
    for wanted in holds:
        if not _says(plain, wanted):
            yield "the text part does not say what was written"
        if not _says(page.words, wanted):
            yield "the HTML part does not say what was written"


def _says(told: str, wanted: str) -> bool:
    """Whether a part says a text, as it is or composed: an accent alone would be drawn to whatever stands before it."""
    return wanted in told or wanted in unicodedata.normalize("NFC", told)
