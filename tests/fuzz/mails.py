"""Each naughty string in each field: refused where it is written, or in a mail that is as it must be. Never lost, never more."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from deploy.local.mailsink import MailSink
from services.notifier.compose import Mail, Undeliverable
from services.notifier.settings import parse_server
from services.notifier.smtp import Line
from tests.fuzz.desk import SITES, Case, Desk, Refused
from tests.fuzz.fields import FIELDS, Filled
from tests.fuzz.mail_faults import faults_of
from tests.fuzz.naughty_strings import STRINGS


@dataclass
class Written:
    """What came of it. `mails` are those composed, in order."""

    cases: int = 0
    refused: int = 0
    mails: list[Mail] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def write_all(desk: Desk, strings: Iterable[tuple[int, str]], fields: Iterable[Filled] = FIELDS) -> Written:
    """Put each string into each field, and look at every mail."""
    written = Written()
    numbered = tuple(strings)
    for filled in fields:
        for number, text in numbered:
            written.cases += 1
            written.faults += [
                f"{filled.name}, string {number} {text[:40]!r}: {fault}" for fault in write_one(desk, filled, text, written)
            ]
    return written


def write_one(desk: Desk, filled: Filled, text: str, written: Written) -> Iterator[str]:
    """Put a string into a field; yield what is wrong with what comes of it."""
    try:
        case = filled.fill(desk, text)
    except Refused:
        written.refused += 1
        return
    except Exception as error:  # whatever it is, the reader of the figures shall see it
        yield f"{type(error).__name__}: {error}"
        return
    yield from _send(case, filled, text, written)


def _send(case: Case, filled: Filled, text: str, written: Written) -> Iterator[str]:
    told = False
    wanted = filled.shown(text)
    try:
        for sent in case.send_all():
            shows = sent.letter.startswith(filled.kinds)
            told = told or shows
            written.mails.append(sent.mail)
            holds = (wanted,) if shows and wanted else ()
            address = sent.mail.recipient.address
            for fault in faults_of(sent.mail.content, recipient=address, to_usager=sent.to_usager, sites=SITES, holds=holds):
                yield f"{sent.letter}: {fault}"
    except Undeliverable as error:
        if error.why == "no_address" and case.gave_no_address:
            return  # typed blanks only, and a phone
        yield f"lost: it was taken, and then no mail can go out ({error.why})"
    except Exception as error:  # as above
        yield f"{type(error).__name__}: {error}"
    else:
        if not told:
            yield f"no letter of {filled.kinds} was written"


async def hand_over(sink: MailSink, mails: Sequence[Mail]) -> list[str]:
    """Give mails to the sink over SMTP, on one kept connection; return where what arrived is not what was sent."""
    line = Line(parse_server(sink.smtp), name="fuzz")
    faults = []
    before = len(sink.mails())
    for number, mail in enumerate(mails):
        answer = await line.send(mail)
        if answer.kind != "sent":
            faults.append(f"mail {number} was {answer.kind}: {answer.why}")
    await line.close()
    arrived = sink.mails()[before:]
    if len(arrived) != len(mails):
        return [*faults, f"{len(mails)} mails were sent, {len(arrived)} arrived"]
    for mail, told in zip(mails, arrived, strict=True):
        if told["recipients"] != [mail.recipient.address.replace('"', "")] or told["sender"].strip("<>") != mail.sender:
            faults.append(f"mail {told['id']} went from {told['sender']} to {told['recipients']}")
        if (sink.folder / f"{told['id']}.eml").read_bytes() != mail.content:
            faults.append(f"mail {told['id']} arrived otherwise than it was sent")
    return faults


def numbered_strings(every: int = 1, first: int = 0) -> list[tuple[int, str]]:
    """Return the strings with their numbers; each `every`-th of them, from `first` on."""
    return list(enumerate(STRINGS))[first::every]
