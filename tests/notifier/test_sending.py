"""Letters on their way to a real mail server that behaves, refuses, hangs up or is away."""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local import address, folders
from deploy.local.kafka import KafkaServer
from deploy.local.mailsink import MailSink
from deploy.local.process import ServerProcess
from services.notifier.app import build
from services.notifier.settings import NotifierSettings
from services.notifier.store import LetterStore
from shared import metrics
from shared.delivery.errors import Unavailable
from shared.delivery.gate import Gate
from shared.events import handling, notifications
from shared.vault.seal import Vault
from tests.conftest import fresh_database
from tests.full_disk import full_disk
from tests.notifier.conftest import AT, KEYS, Office, prepare

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def empty_kafka(run_folder: Path) -> Iterator[KafkaServer]:
    """A Kafka without topics: on the one that all tests share, a whole notifier would read what others have written."""
    with KafkaServer(run_folder / "kafka-notifier") as server:
        yield server


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


@pytest.mark.parametrize("after_content", [False, True])
async def test_refused_for_good_is_given_up_at_once(office: Office, mail_sink: MailSink, *, after_content: bool) -> None:
    mail_sink.behave(refuse=550, recipient="courriel.example", after_content=after_content)
    before = _failed("server")
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received(), story.assigned())
    await office.until_quiet()
    told = {one.letter: one for one in await office.outcomes()}
    assert (told["receipt"].why, told["receipt"].attempts) == ("refused", 1)
    assert _failed("server") == before + 1
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


async def test_a_server_that_takes_mails_and_says_nothing_is_not_given_all_that_waits(
    office: Office, mail_sink: MailSink
) -> None:
    """Each of them comes again: it has to be few."""
    mail_sink.behave(drop_connection=True, store_before_dropping=True)
    stories = [office.story() for _ in range(60)]
    await office.store_keys(*stories)
    await office.tell(*(story.received() for story in stories))
    await asyncio.sleep(2.5)
    taken = len(mail_sink.mails())
    assert 2 <= taken <= 20
    mail_sink.behave()
    await asyncio.sleep(0.5)
    office.move(timedelta(seconds=31))
    await office.until_quiet()
    ids = [mail["message_id"] for mail in mail_sink.mails()]
    assert len(set(ids)) == 60
    assert len(ids) <= 60 + taken + 4, "of those that it had kept, and of those under way when it began to answer"


async def test_a_slow_server_delays_letters_and_loses_none(office: Office, mail_sink: MailSink) -> None:
    mail_sink.behave(delay_seconds=0.5)
    stories = [office.story() for _ in range(12)]
    await office.store_keys(*stories)
    began = time.monotonic()
    await office.tell(*(story.received() for story in stories))
    await office.until_quiet()
    assert time.monotonic() - began < 4  # 6 s one after the other: the connections share them
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


async def test_a_claim_for_which_there_is_no_room_is_counted_and_tried_again(office: Office, mail_sink: MailSink) -> None:
    counter = metrics.UNAVAILABLE.labels("notifier", "postgresql")
    before = counter._value.get()
    story = office.story()
    await office.store_keys(story)
    async with full_disk(office.admin_dsn, "notifier.letter"):
        await office.tell(story.received())
        while counter._value.get() == before:
            await asyncio.sleep(0.05)
        assert mail_sink.mails() == []
    await office.until_quiet()
    assert [one.attempts for one in await office.outcomes()] == [1]
    assert len(mail_sink.mails()) == 1


async def test_no_letter_is_claimed_before_the_database_was_compared_with_the_log(office: Office) -> None:
    store = LetterStore(office.app.pool, Gate("notifier"), holder="0/0")

    with pytest.raises(Unavailable, match="compared"):
        await store.claim_due(AT, limit=1, lease=timedelta(seconds=1))


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
    story, before = office.story(), _failed("server")
    await office.tell(story.received(), story.life(handling.RequestResolved, elapsed_working_seconds=5, status="resolved"))
    await office.until_quiet()
    assert {(one.letter, one.why) for one in await office.outcomes()} == {("receipt", "erased"), ("resolution.2", "erased")}
    assert mail_sink.mails() == [] and _failed("server") == before, "nobody is to be woken: no mail server said no"


async def test_text_that_looks_like_smtp_arrives_as_text(office: Office, mail_sink: MailSink) -> None:
    story = office.story()
    await office.store_keys(story)
    text = "..\r\n.\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<evil@example.org>\r\nDATA\r\n.\n.x\r\nQUIT"
    await office.tell(story.received(text=text, name="A\r\nBcc: evil@example.org"), story.assigned())
    await office.until_quiet()
    assert {tuple(mail["recipients"]) for mail in mail_sink.mails()} == {
        ("voirie@rivemont.example",),
        ("solene.vautrin@courriel.example",),
    }
    [mail] = await mail_sink.wait_for(to="voirie@rivemont.example")
    quoted = "\n".join(f"> {line}" for line in text.replace("\r\n", "\n").split("\n"))
    assert quoted in mail["text"].replace("\r\n", "\n")


async def test_an_address_that_needs_smtputf8_goes_out_where_the_server_takes_it(office: Office, mail_sink: MailSink) -> None:
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received(email="solène@mairie-évry.example"))
    await office.until_quiet()
    assert mail_sink.mails()[0]["recipients"] == ["solène@xn--mairie-vry-h7a.example"]


async def test_an_erased_request_is_not_written_to_any_more(office: Office, mail_sink: MailSink) -> None:
    mail_sink.behave(refuse=451)
    story = office.story()
    await office.store_keys(story)
    await office.tell(story.received())

    async def refused() -> bool:
        return bool(await office.query("SELECT 1 FROM notifier.letter WHERE attempts = 1 AND leased_until IS NULL"))

    await office.until(refused)
    mail_sink.behave()
    await office.tell(story.erased())
    office.move(timedelta(minutes=5))
    await asyncio.sleep(1.5)
    assert mail_sink.mails() == [] and await office.query("SELECT 1 FROM notifier.letter") == []
    assert [(one.letter, one.why) for one in await office.outcomes()] == [("receipt", "erased")]


async def test_mail_follows_the_commit_within_milliseconds(office: Office, mail_sink: MailSink) -> None:
    took = []
    for _ in range(20):
        story = office.story()
        await office.store_keys(story)
        began = time.perf_counter()
        await office.tell(story.received())
        async with asyncio.timeout(5):
            while await office.app.pool.fetchval("SELECT 1 FROM notifier.letter"):
                await asyncio.sleep(0.001)
        took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.1, took  # about 15 ms on a quiet machine


@pytest.mark.parametrize("point", ["letter.before_send", "letter.after_send"])
async def test_a_kill_loses_no_mail_and_repeats_only_what_was_in_flight(
    postgres_server: address.Postgres, empty_kafka: KafkaServer, mail_sink: MailSink, tmp_path: Path, point: str
) -> None:
    async with fresh_database(postgres_server.dsn) as dsn:
        settings = (await prepare(dsn, tmp_path, mail_sink.smtp)).model_copy(update={"kafka": empty_kafka.bootstrap})
        office = Office(await build(settings), dsn, tmp_path, settings, Vault.from_text(KEYS))
        office.app.shell.gate.trust()  # it is made here, and serves nothing
        stories = [office.story() for _ in range(150)]
        await office.store_keys(*stories)
        await office.tell(*(story.received(email=f"usager{number}@courriel.example") for number, story in enumerate(stories)))
        (tmp_path / point).write_text("60")
        killed = _start(settings, tmp_path, {"AIGUILLEUR_POINTS": str(tmp_path)})
        async with asyncio.timeout(30):
            while killed.exit_code is None:
                await asyncio.sleep(0.1)
        assert killed.exit_code == -9
        again = _start(settings, tmp_path, {})
        await office.until_quiet(timeout_seconds=30)
        again.stop()
        ids = [mail["message_id"] for mail in mail_sink.mails()]
        assert len(set(ids)) == 150 and len(ids) - 150 <= 100
        assert {one.letter for one in await office.outcomes()} == {"receipt"} and len(await office.outcomes()) == 150
        office.app.pool.terminate()


def _failed(cause: str) -> float:
    failed: float = metrics.MAILS.labels("failed", cause)._value.get()
    return failed


def _start(settings: NotifierSettings, folder: Path, more: dict[str, str]) -> ServerProcess:
    """Run the notifier as a process of its own."""
    told = {
        "AIGUILLEUR_KAFKA": settings.kafka,
        "AIGUILLEUR_ORGANISATION": str(settings.organisation),
        "AIGUILLEUR_CLOCK_FILE": str(settings.clock_file),
        "AIGUILLEUR_KEYS": settings.keys.get_secret_value(),
        "AIGUILLEUR_LINK_KEY": settings.link_key.get_secret_value(),
        "AIGUILLEUR_SMTP": settings.smtp.get_secret_value(),
        "AIGUILLEUR_NOTIFIER_DATABASE": settings.database.get_secret_value(),
        "AIGUILLEUR_NOTIFIER_PORT": str(settings.port),
        "PYTHONPATH": str(folders.ROOT),
    }
    command = [sys.executable, "-m", "services.notifier"]
    return ServerProcess(command, log_file=folder / "notifier.log", pid_file=folder / "notifier.pid", environment=told | more)
