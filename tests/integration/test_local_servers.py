"""The servers that every other integration test stands on do what real ones do."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from playwright.async_api import Page

from deploy.local import jars, npm
from deploy.local.address import Kafka, Postgres
from deploy.local.mailsink import MailSink

pytestmark = pytest.mark.integration


async def new_topic(bootstrap: str) -> str:
    topic = f"test.{secrets.token_hex(6)}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    return topic


async def produce(bootstrap: str, *, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, value)


async def consume_one(bootstrap: str, *, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=topic, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(20):
        value: bytes | None = (await consumer.getone()).value
        return value


def mail_to(address: str, *, subject: str = "Accusé de réception") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Mairie <mairie@exemple.fr>", address, subject
    mail["Message-ID"] = f"<{secrets.token_hex(8)}@exemple.fr>"
    mail.set_content("Votre demande est enregistrée.\nSuivi : http://127.0.0.1:9/suivi/abc?x=1&y=2.\n")
    mail.add_alternative('<p>Suivi : <a href="http://127.0.0.1:9/suivi/abc?x=1&amp;y=2">ici</a></p>', subtype="html")
    return mail


async def send(sink: MailSink, mail: EmailMessage) -> None:
    await aiosmtplib.send(mail, hostname=sink.smtp_host, port=sink.smtp_port, timeout=10, start_tls=False)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_produced_record_reaches_a_group(kafka_server: Kafka) -> None:
    topic = await new_topic(kafka_server.bootstrap)

    await produce(kafka_server.bootstrap, topic=topic, value="demande reçue".encode())

    assert await consume_one(kafka_server.bootstrap, topic=topic) == "demande reçue".encode()


@pytest.mark.faults
async def test_an_acknowledged_record_outlives_a_killed_broker(kafka_server: Kafka) -> None:
    topic = await new_topic(kafka_server.bootstrap)
    await produce(kafka_server.bootstrap, topic=topic, value=b"acknowledged")

    kafka_server.kill()
    kafka_server.restart()

    assert await consume_one(kafka_server.bootstrap, topic=topic) == b"acknowledged"


async def test_postgresql_is_recent_and_stores_utf8(database: str) -> None:
    async with connected(database) as connection:
        assert connection.get_server_version() >= (15,)
        assert await connection.fetchval("SELECT 'Hôtel de ville – œuvre'::text") == "Hôtel de ville – œuvre"
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"


async def test_postgresql_asks_for_the_password(postgres_server: Postgres) -> None:
    before, _, after = postgres_server.dsn.partition("@")
    wrong = before.rsplit(":", 1)[0] + ":wrong@" + after

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


@pytest.mark.faults
async def test_a_committed_row_outlives_a_killed_postgresql(postgres_server: Postgres, database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS value")

        postgres_server.kill()
        postgres_server.restart()

    async with connected(database) as connection:
        assert await connection.fetchval("SELECT value FROM kept") == 42


@pytest.mark.faults
async def test_a_paused_postgresql_answers_again_once_resumed(postgres_server: Postgres, database: str) -> None:
    async with connected(database) as connection:
        postgres_server.pause()
        query = asyncio.create_task(connection.fetchval("SELECT 1"))
        _, pending = await asyncio.wait([query], timeout=0.3)
        postgres_server.resume()

        assert pending
        assert await query == 1


async def test_a_mail_is_read_back_with_its_links(mail_sink: MailSink) -> None:
    await send(mail_sink, mail_to("agent@exemple.fr", subject="Éclairage – rue de l’Église"))

    [mail] = await mail_sink.wait_for(to="agent@exemple.fr", subject="éclairage")

    assert mail["recipients"] == ["agent@exemple.fr"]
    assert mail["subject"] == "Éclairage – rue de l’Église"
    assert "enregistrée" in mail["text"]
    assert mail["links"] == ["http://127.0.0.1:9/suivi/abc?x=1&y=2"]


async def test_the_sink_refuses_when_told(mail_sink: MailSink) -> None:
    before = mail_sink.struck()
    mail_sink.behave(refuse=451, recipient="voirie")

    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(mail_sink, mail_to("voirie@exemple.fr"))
    await send(mail_sink, mail_to("ecole@exemple.fr"))

    assert refused.value.recipients[0].code == 451
    assert mail_sink.struck() == before + 1
    assert [mail["recipients"] for mail in mail_sink.mails()] == [["ecole@exemple.fr"]]


async def test_the_sink_knows_what_it_refused_for_good_after_the_content(mail_sink: MailSink) -> None:
    before, mail = mail_sink.refused(), mail_to("voirie@exemple.fr")
    for code in (451, 550):
        mail_sink.behave(refuse=code, recipient="voirie", after_content=True)
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await send(mail_sink, mail)
        assert refused.value.code == code
        assert mail_sink.refused() == [*before, *[mail["Message-ID"]] * (code == 550)]
        await send(mail_sink, mail_to("ecole@exemple.fr"))

    assert [mail["recipients"] for mail in mail_sink.mails()] == [["ecole@exemple.fr"]] * 2


@pytest.mark.parametrize("stored", [False, True])
async def test_the_sink_hangs_up_when_told(mail_sink: MailSink, *, stored: bool) -> None:
    before = mail_sink.struck()
    mail_sink.behave(drop_connection=True, store_before_dropping=stored)

    with pytest.raises(aiosmtplib.SMTPException):
        await send(mail_sink, mail_to("agent@exemple.fr"))

    assert mail_sink.struck() == before + 1
    assert len(mail_sink.mails()) == stored


async def test_many_mails_are_read_in_pages(mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.mailsink._PAGE", 2)
    for _ in range(4):
        await send(mail_sink, mail_to("agent@exemple.fr"))

    assert [mail["id"] for mail in mail_sink.mails()] == ["000001", "000002", "000003", "000004"]
    assert [mail["id"] for mail in mail_sink.mails(after="000001")] == ["000002", "000003", "000004"]


async def test_mails_outlive_a_restart_of_the_sink(mail_sink: MailSink) -> None:
    await send(mail_sink, mail_to("agent@exemple.fr"))

    mail_sink.restart()

    assert [mail["id"] for mail in mail_sink.mails()] == ["000001"]


async def test_a_person_reads_a_mail_in_chromium(
    mail_sink: MailSink, page: Page, axe: Callable[[Page], Awaitable[list[str]]], tmp_path: Path
) -> None:
    await send(mail_sink, mail_to("agent@exemple.fr", subject="<b>Accusé</b> de réception"))
    await page.goto(mail_sink.url)
    assert await axe(page) == []

    await page.get_by_role("link", name="<b>Accusé</b> de réception").click()

    assert await page.frame_locator("iframe").get_by_role("link", name="ici").is_visible()
    assert await page.get_by_role("link", name="http://127.0.0.1:9/suivi/abc?x=1&y=2").is_visible()
    assert await axe(page) == []
    await page.screenshot(path=tmp_path / "mail.png", full_page=True)
    assert (tmp_path / "mail.png").read_bytes().startswith(b"\x89PNG")


async def test_an_altered_jar_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    altered = tmp_path / "kafka.lock"
    altered.write_text("com.google.re2j:re2j:1.8 0000\n")
    monkeypatch.setattr(jars, "LOCK", altered)

    with pytest.raises(jars.JarMismatchError, match=r"kafka\.lock says"):
        jars.kafka_jars()


async def test_an_altered_npm_package_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    altered = tmp_path / "npm.lock"
    altered.write_text(npm.LOCK.read_text().replace("sha512-", "sha512-A"))
    monkeypatch.setattr(npm, "LOCK", altered)

    with pytest.raises(npm.PackageMismatchError, match=r"npm\.lock says"):
        npm.package("axe-core")
