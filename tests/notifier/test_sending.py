"""Letters on their way to a real mail server that behaves, refuses, hangs up or is away."""

import asyncio
from datetime import timedelta

import pytest

from deploy.local.mailsink import MailSink
from shared.events import handling, notifications
from tests.notifier.conftest import Office

pytestmark = pytest.mark.integration


async def test_a_request_is_receipted_to_the_usager_and_mailed_to_its_service(office: Office, mail_sink: MailSink) -> None:
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received(), story.assigned())
    [receipt] = await mail_sink.wait_for(to="solene.vautrin@courriel.example")
    [mail] = await mail_sink.wait_for(to="voirie@rivemont.example")
    await office.until_quiet()
    told = await office.outcomes()
    assert {(one.letter, one.attempts, type(one)) for one in told} == {
        ("receipt", 1, notifications.MailSent),
        ("assignment.2", 1, notifications.MailSent),
    }
    assert receipt["sender"] in ("", "<>") and mail["sender"] == "contact@rivemont.example"
    assert mail["links"][0].startswith("http://agents.test/a/")
    assert "http://site.test/rivemont/suivi/Zm9ydHktdHdvIGJ5dGVzIQ" in receipt["links"]


async def test_refused_for_now_is_tried_again_by_the_schedule(office: Office, mail_sink: MailSink) -> None:
    mail_sink.behave(refuse=451)
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received())

    async def refused() -> bool:
        return bool(await office.query("SELECT 1 FROM notifier.letter WHERE attempts = 1 AND leased_until IS NULL"))

    await office.until(refused)
    mail_sink.behave()
    await asyncio.sleep(1.5)
    assert mail_sink.mails() == []  # not before its time
    office.move(timedelta(seconds=31))
    await office.until_quiet()
    assert [(one.letter, one.attempts) for one in await office.outcomes()] == [("receipt", 2)]
    assert len(mail_sink.mails()) == 1


async def test_refused_for_good_is_given_up_at_once(office: Office, mail_sink: MailSink) -> None:
    mail_sink.behave(refuse=550, recipient="courriel.example")
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received(), story.assigned())
    await office.until_quiet()
    told = {one.letter: one for one in await office.outcomes()}
    assert (told["receipt"].why, told["receipt"].attempts) == ("refused", 1)
    assert isinstance(told["assignment.2"], notifications.MailSent)


async def test_a_connection_lost_after_the_content_is_an_attempt_and_others_go_on(office: Office, mail_sink: MailSink) -> None:
    mail_sink.behave(drop_connection=True, store_before_dropping=True)
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received())

    async def tried() -> bool:
        return bool(await office.query("SELECT 1 FROM notifier.letter WHERE attempts = 1 AND leased_until IS NULL"))

    await office.until(tried)
    mail_sink.behave()
    other = office.story()
    await office.store_keys(other)
    await office.tell(other.assigned(), other.received())
    await mail_sink.wait_for(to="voirie@rivemont.example")
    office.move(timedelta(seconds=31))
    await office.until_quiet()
    ids = [mail["message_id"] for mail in mail_sink.mails(to="solene.vautrin@courriel.example")]
    assert len(ids) == 3 and len(set(ids)) == 2  # the server had kept the one it did not answer for: same Message-ID


async def test_a_slow_server_delays_letters_and_loses_none(office: Office, mail_sink: MailSink) -> None:
    mail_sink.behave(delay_seconds=0.5)
    stories = [office.story() for _ in range(12)]
    await office.store_keys(*stories)
    await office.tell(*(story.received() for story in stories))
    await office.until_quiet()
    assert len(mail_sink.mails()) == 12


async def test_no_attempt_is_lost_while_the_mail_server_is_away(office: Office, mail_sink: MailSink) -> None:
    mail_sink.stop()
    stories = [office.story() for _ in range(40)]
    await office.store_keys(*stories)
    await office.tell(*(story.received() for story in stories))
    await asyncio.sleep(2)
    rows = await office.query("SELECT attempts, leased_until FROM notifier.letter")
    assert len(rows) == 40 and {row["attempts"] for row in rows} == {0}
    mail_sink.start()
    await office.until_quiet()
    assert {one.attempts for one in await office.outcomes()} == {1}
    assert len(mail_sink.mails()) == 40


async def test_without_a_mail_address_the_letter_is_told_as_not_sent(office: Office) -> None:
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received(email=None))
    await office.until_quiet()
    [told] = await office.outcomes()
    assert (told.letter, told.why, told.attempts) == ("receipt", "no_address", 0)


async def test_an_assignment_waits_for_the_request_itself(office: Office, mail_sink: MailSink) -> None:
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.assigned())
    await asyncio.sleep(0.5)
    assert await office.query("SELECT 1 FROM notifier.letter") == [] and mail_sink.mails() == []
    await office.tell(story.received())
    await office.until_quiet()
    assert {mail["recipients"][0] for mail in mail_sink.mails()} == {
        "voirie@rivemont.example",
        "solene.vautrin@courriel.example",
    }


async def test_a_key_that_is_gone_means_that_nothing_is_sent(office: Office, mail_sink: MailSink) -> None:
    story = office.story()
    await office.tell(story.received(), story.life(handling.RequestResolved, elapsed_working_seconds=5, status="resolved"))
    await office.until_quiet()
    assert {(one.letter, one.why) for one in await office.outcomes()} == {("receipt", "erased"), ("resolution.2", "erased")}
    assert mail_sink.mails() == []
