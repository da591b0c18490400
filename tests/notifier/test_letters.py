"""What letters say and how they look, and that nothing written into them can make them say something else."""

import email
import email.policy
from datetime import date
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notifier.compose import Mail, Undeliverable
from services.notifier.mime import assemble, quoted_printable
from services.notifier.sheets import BLANKS, FOLDER, Body, Sheet
from services.notifier.words import last_day_of_appeal, months_after
from shared.events import handling
from shared.mail_address import BadAddress, parse_address
from shared.organisation import Authority
from shared.pages.catalogue import Catalogue
from shared.vault.seal import RequestKey
from tests.notifier import scenes
from tests.notifier.conftest import Notifier, Story

CASES = [(name, language) for name, scene in scenes.SCENES.items() for language in scene.languages]
HEADERS_OF_A_SERVICE = [
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip
NAUGHTY = (
    "\r\nBcc: evil@example.org", "a\nTo: evil@example.org\n\nbody", "\r\n.\r\nMAIL FROM:<evil@example.org>\r\n", "\n.\n", ".",
    "--=_aiguilleur\r\nContent-Type: text/html\r\n\r\n<script>", "--=_aiguilleur--", "=?utf-8?q?=0D=0ABcc:x?=",
    "\x00\x0b\x0c\x85",
    "\u2028\u2029Bcc: x", "<img src=x onerror=alert(1)>", "\"><a href='http://evil.example'>", "{{ 7*7 }}{% raw %}", "%(x)s%s%d",
    "\ue000\ue005\ue00a", "\u202eevil", "x" * 5000, "é" * 3000, "😀" * 400, "\ud800", "=\r\n=3D=\n", "From \nFrom x",
    "\t \t", "a\rb",
)  # fmt: skip


def read(mail: Mail) -> EmailMessage:
    """Read a mail back as its receiver does; Python's strict parser must find nothing wrong."""
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects, part.defects
    for name, value in message.items():
        assert not value.defects, (name, value.defects)
    return message


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self.tags.append((tag, dict(attrs).get("href")))


def shape(mail: Mail) -> tuple[Any, ...]:
    """Everything of a mail that must not depend on what people wrote: headers, parts, tags, links."""
    message = read(mail)
    parts = [part.get_content_type() for part in message.walk()]
    [html] = [part for part in message.walk() if part.get_content_type() == "text/html"]
    assert isinstance(html, EmailMessage)
    return (
        message.keys(),
        parts,
        _Tags(html.get_content()).tags,
        mail.sender,
        mail.recipient,
        str(message["To"]),
        str(message["Subject"]),
    )


@pytest.mark.parametrize(("name", "language"), CASES)
def test_letters_read_as_they_were_last_read_over(name: str, language: str, rivemont: Authority) -> None:
    for form, text in scenes.render(scenes.SCENES[name], language, Notifier(rivemont)).items():
        kept = (scenes.FOLDER / f"{name}.{language}.{form}").read_text()
        assert text == kept, "the letter changed; if it is meant: python -m tests.notifier.scenes, and read it"


def test_every_sentence_has_its_english(rivemont: Authority) -> None:
    known = Catalogue(FOLDER / "locale").translated("en")
    methods, keywords = [("**.j2", "jinja2")], {"_": None}
    missing = [
        message for _, _, message, _, _ in extract_from_dir(FOLDER / "templates", method_map=methods, keywords=keywords)
        if message not in known
    ]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize("name", [name for name in scenes.SCENES if not name.startswith("receipt")])
def test_no_subject_and_no_header_but_to_holds_anything_personal(name: str, rivemont: Authority) -> None:
    text = scenes.render(scenes.SCENES[name], "fr", Notifier(rivemont))["txt"]
    head = "\n".join(line for line in text.split("\n\n")[0].split("\n") if not line.startswith("To:"))
    for personal in ("Vautrin", "courriel.example", "06 12", "lampadaire devant", "Lilas"):
        assert personal not in head


def test_headers_of_automatic_mail(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received(), story.assigned())
    receipt, mail = notifier.mail("receipt", story), notifier.mail("assignment.2", story)
    assert receipt.sender == "" and mail.sender == "contact@rivemont.example"
    assert read(mail).keys() == HEADERS_OF_A_SERVICE
    told = read(receipt)
    assert told["Auto-Submitted"] == "auto-generated" and told["X-Auto-Response-Suppress"] == "All" and "Precedence" not in told
    assert told["Message-ID"] == f"<receipt.{story.request_id}@rivemont.example>"
    assert told["References"] == read(mail)["References"] == f"<{story.request_id}@rivemont.example>"


def test_a_mail_composed_again_is_the_same_mail(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received(), story.assigned())
    assert notifier.mail("assignment.2", story) == notifier.mail("assignment.2", story)


anything = st.one_of(
    st.sampled_from(NAUGHTY), st.text(max_size=300), st.text(alphabet="\r\n\t .:<>=?-@\x00aé\ue001", max_size=80)
)


@settings(max_examples=400)
@given(name=anything, phone=anything, text=anything, lieu=anything, code=anything, agent=anything)
@example(name="Zoé\r\nBcc: x@example.org", phone="\r\n", text="\r\n.\r\n", lieu="\n", code="a\tb\nc", agent=".")
def test_nothing_that_people_write_adds_a_header_a_recipient_a_part_or_a_tag(
    rivemont: Authority, name: str, phone: str, text: str, lieu: str, code: str, agent: str
) -> None:
    def letters(told: dict[str, Any], agent_text: str) -> list[Mail]:
        story, notifier = Story(), Notifier(rivemont)
        answered = story.life(handling.RequestAnswered, agent_text=_sealable(agent_text), elapsed_working_seconds=1)
        story.version = 2
        notifier.take(story.received(**told), story.assigned(), answered)
        return [notifier.mail(one, story) for one in ("receipt", "assignment.2", "answer.2")]

    plain = letters({"name": "N", "phone": "1", "text": "t", "answers": {"lieu": "l", "autre": "m"}}, "a")
    told = {"name": "N" + name, "phone": "1" + phone, "text": text, "answers": {"lieu": lieu, "x" + code: lieu}}
    wild = letters({key: _sealable(value) for key, value in told.items()}, "a" + agent)
    for calm, naughty in zip(plain, wild, strict=True):
        assert shape(naughty) == shape(calm)
        for line in naughty.content.split(b"\r\n"):
            assert len(line) <= 998 and b"\n" not in line and b"\r" not in line and line.isascii()


def _sealable(value: Any) -> Any:
    """Lone surrogates cannot be written as JSON: no channel can hand them over."""
    if isinstance(value, dict):
        return {_sealable(key): _sealable(item) for key, item in value.items()}
    return value.encode("utf-8", "replace").decode()


@given(text=st.text(max_size=400), html=st.text(max_size=400))
def test_parts_come_back_as_they_were(text: str, html: str) -> None:
    wanted = [_sealable(part).replace("\r\n", "\n").replace("\r", "\n") for part in (text, html)]
    content = assemble([("Subject", "x")], text=quoted_printable(wanted[0]), html=quoted_printable(wanted[1]))
    assert b"\n" not in content.replace(b"\r\n", b"")
    message = email.message_from_bytes(content, policy=email.policy.default)
    got = [part.get_payload(decode=True).decode() for part in message.walk() if not part.is_multipart()]  # type: ignore[union-attr]
    assert [part.replace("\r\n", "\n") for part in got] == wanted


@given(st.text(alphabet="\n\n\ue000\ue001 .=aé", max_size=300), st.text(alphabet="\n .=aé\ue001", max_size=100))
@example("\ue000" * 40, "é. ")
def test_a_body_whose_constant_lines_were_encoded_before_is_the_same_body(sheet: str, value: str) -> None:
    values = dict.fromkeys(BLANKS, value)
    assert Body(sheet).encode(values) == quoted_printable(Sheet(sheet).fill(values))


@pytest.mark.parametrize("value", ["a\r\nBcc: x", "a\nb", "a\rb", "a\x00b"])
def test_a_header_that_would_end_early_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="would end the header"):
        assemble([("X", value)], text=b"", html=b"")


@pytest.mark.parametrize(
    ("written", "address", "utf8"),
    [
        ("solene@courriel.example", "solene@courriel.example", False),
        ("o'neil+x@Courriel.Example", "o'neil+x@courriel.example", False),
        ("a..b@courriel.example", '"a..b"@courriel.example', False),
        ("solene@mairie-évry.example", "solene@xn--mairie-vry-h7a.example", False),
        ("solène@courriel.example", "solène@courriel.example", True),
    ],
)
def test_addresses(written: str, address: str, utf8: bool) -> None:
    found = parse_address(written)
    assert (found.address, found.utf8) == (address, utf8)


@settings(max_examples=500)
@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["@", "", "@@", "\r\n@"]))
@example("a> SIZE=1", "b.example", "@")
@example("a", "b.example> BODY=8BITMIME", "@")
@example("a\r\nRCPT TO:<x@example.org>", "b.example", "@")
def test_an_address_cannot_bring_a_command_along(local: str, domain: str, between: str) -> None:
    try:
        found = parse_address(local + between + domain)
    except BadAddress:
        return
    assert not set(found.address) & set(" \t\r\n<>\x00,;:") and found.address.count("@") == 1


def test_a_request_whose_key_was_lost_still_reaches_its_service_and_not_the_usager(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received(), story.assigned())
    story.key = RequestKey(b"n" * 32)  # what `aiguilleur reconcile --new-keys` gave

    mail = read(notifier.mail("assignment.2", story))
    with pytest.raises(Undeliverable) as told:
        notifier.mail("receipt", story)

    body = mail.get_body(("plain",))
    assert body is not None and "ne peut plus être lu" in body.get_content()
    assert told.value.why == "unreadable"


def test_an_address_that_cannot_be_is_told_and_not_tried(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received(email="x y@courriel.example"))
    with pytest.raises(Undeliverable) as told:
        notifier.mail("receipt", story)
    assert told.value.why == "bad_address"


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 11, 24), 2, date(2027, 1, 24)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 10, 31), 1, date(2026, 11, 30)),
        (date(2026, 12, 15), 12, date(2027, 12, 15)),
    ],
)
def test_legal_delays_count_in_calendar_months(day: date, months: int, then: date) -> None:
    assert months_after(day, months) == then


@pytest.mark.parametrize(
    ("decided_on", "zone", "last"),
    [
        (date(2024, 11, 12), "metropole", date(2025, 1, 13)),  # an advocate's worked example
        (date(2007, 10, 1), "metropole", date(2007, 12, 3)),  # another one: 2 December was a Sunday
        (date(2027, 1, 24), "metropole", date(2027, 3, 25)),
        (
            date(2026, 12, 31),
            "metropole",
            date(2027, 3, 1),
        ),  # February has no 31st: the 28th is not counted, the next day is the last
        (date(2027, 3, 7), "metropole", date(2027, 5, 10)),  # 8 May is a holiday, a Saturday, and followed by a Sunday
        (date(2027, 1, 25), "metropole", date(2027, 3, 26)),
        (date(2027, 1, 25), "alsace-moselle-temple", date(2027, 3, 30)),  # Good Friday, and Easter Monday
    ],
)
def test_an_appeal_has_two_clear_months(decided_on: date, zone: str, last: date) -> None:
    assert last_day_of_appeal(decided_on, zone) == last
