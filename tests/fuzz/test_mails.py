"""Naughty strings in every field that reaches a mail: 0 headers, recipients, parts or marks more, and the text comes back.

Here a part of the strings in each field, another part by another seed; `python -m tests.proof hostile` writes all of them.
"""

import pytest

from deploy.local import folders
from deploy.local.mailsink import MailSink
from services.notifier.compose import Mail
from services.notifier.settings import parse_server
from services.notifier.smtp import Line
from shared.events.contracts import read_examples
from tests.fuzz.desk import Desk
from tests.fuzz.mails import Written, hand_over, numbered_strings, write_all
from tests.fuzz.naughty_strings import COUNT, LISTED, STRINGS
from tests.fuzz.organisations import write_for_organisations

pytestmark = [pytest.mark.integration, pytest.mark.slow]
_EVERY = 31
"""Prime to the number of fields and strings, so that each field gets strings of all sorts."""


@pytest.fixture(scope="module")
def written() -> Written:
    return write_all(Desk(), numbered_strings(_EVERY))


def test_the_whole_list_is_there() -> None:
    assert len(LISTED) == COUNT == 515
    assert len(STRINGS) > 600


def test_the_submission_that_the_documents_show_is_taken() -> None:
    shown = read_examples(folders.ROOT / "docs/events")["fr.aiguilleur.request.submitted.v1"]

    mails = [sent.mail for sent in Desk().submit(shown).send_all()]

    assert [mail.recipient.address for mail in mails] == [shown["email"], "proprete@rivemont.example"]


def test_nothing_written_into_a_field_makes_another_mail_of_it(written: Written) -> None:
    assert not written.faults, "\n".join(written.faults[:40])
    assert written.refused > 100
    assert len(written.mails) > 500


def test_no_name_of_an_organisation_breaks_a_mail() -> None:
    written = write_for_organisations(numbered_strings(_EVERY))

    assert not written.faults, "\n".join(written.faults[:40])
    assert written.mails


def test_a_configuration_with_unseen_characters_is_refused() -> None:
    written = write_for_organisations([(0, "a\r\nBcc: x"), (1, "\ue000"), (2, "\u202evoirie")])

    assert (written.refused, written.mails) == (3, [])


async def test_over_smtp_each_mail_arrives_whole_at_its_one_recipient(written: Written, mail_sink: MailSink) -> None:
    faults = await hand_over(mail_sink, written.mails[::3])

    assert not faults, "\n".join(faults[:20])


async def test_a_mail_that_would_be_dot_stuffed_is_as_it_was(mail_sink: MailSink, written: Written) -> None:
    content = written.mails[0].content.replace(b"\r\n\r\n", b"\r\n\r\n.\r\n..\r\n", 1)

    faults = await hand_over(mail_sink, [Mail("", written.mails[0].recipient, content)])

    assert not faults


async def test_a_line_is_good_for_the_next_mail_after_all_of_them(mail_sink: MailSink, written: Written) -> None:
    line = Line(parse_server(mail_sink.smtp), name="fuzz")
    answers = [await line.send(mail) for mail in written.mails[:3]]
    await line.close()

    assert [answer.kind for answer in answers] == ["sent"] * 3
