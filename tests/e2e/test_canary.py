"""A seeded person's name is in clear nowhere, and erasing the request makes its past unreadable."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.events.content import Content
from shared.events.topics import INBOUND, SERVICES, dead_letters
from shared.vault.keys import find_keys
from shared.vault.seal import Vault
from tests.chaos.forgery import publish
from tests.judge.evidence import Written
from tests.judge.writings import in_clear, in_files, in_tables
from tests.scene import Scene

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

NAME = "Zéphyrine Quatrevaux-Malandrin"
CANARIES = ("Quatrevaux", "quatrevaux", "xylophone-canari", "0699887766")
BODY = {
    "authority": "rivemont",
    "channel": "app",
    "service": "voirie",
    "name": NAME,
    "email": "quatrevaux@courriel.example",
    "phone": "0699887766",
    "text": f"Je suis {NAME} et mon xylophone-canari est tombé dans un nid-de-poule.",
}


async def _post(scene: Scene) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        answer = await http.post(f"{scene.town.url('intake')}/v1/requests", json=BODY)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _clear_text_hits(written: Iterable[Written]) -> list[str]:
    return in_clear(CANARIES, written)


async def _in_database(admin_dsn: str) -> list[Written]:
    database = await asyncpg.connect(admin_dsn)
    try:
        return await in_tables(database)
    finally:
        await database.close()


def _partition_of(path: str, topic: str) -> bool:
    return re.fullmatch(re.escape(topic) + r"-\d+", Path(path).parent.name) is not None


async def test_a_seeded_name_is_in_clear_nowhere(town_scene: Scene) -> None:
    scene = town_scene
    answered = await _post(scene)
    inbound = '{"authority": "rivemont", "text": "Quatrevaux", "email": "pas une adresse", "phone": "0699887766"}'
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", b"fr.aiguilleur.request.submitted.v1"),
        ("ce_source", b"/x"),
        ("ce_id", b"1"),
    ]
    await scene.sink.wait_for(subject=answered["reference"], count=2, timeout_seconds=30)
    mails = [scene.sink.mail(mail["id"]) for mail in scene.sink.mails()]
    assert any(NAME in mail["text"] for mail in mails), "the service must have been told who asks"
    assert not any("Quatrevaux" in mail["subject"] for mail in mails)
    await publish(scene.kafka.bootstrap, INBOUND.name, [(b"k", inbound.encode(), headers)])  # parked: a bad address
    await scene.town.settle()
    written = dict(in_files(scene.kafka.folder / "data", "*.log"))
    open_to_others = {path for path in written if _partition_of(path, INBOUND.name)}
    assert _clear_text_hits((path, written[path]) for path in open_to_others), "the scan must see what is in clear"
    letters = [blob for path, blob in written.items() if _partition_of(path, dead_letters(INBOUND, "intake"))]
    assert any(letters), "what was parked must have its copy"
    assert _clear_text_hits((path, blob) for path, blob in written.items() if path not in open_to_others) == []
    assert _clear_text_hits(await _in_database(scene.town.admin_dsn)) == []
    assert _clear_text_hits(in_files(scene.town.folder, "*.log")) == []
    async with httpx.AsyncClient(trust_env=False) as http:
        for service in SERVICES:
            metrics = (await http.get(f"{scene.town.url(service)}/metrics")).text
            assert _clear_text_hits([(f"{service} metrics", metrics.encode())]) == []


async def test_erasing_a_request_makes_its_past_unreadable(town_scene: Scene) -> None:
    scene = town_scene
    answered = await _post(scene)
    request_id = UUID(answered["request_id"])
    await scene.town.settle()
    vault = Vault.from_text(scene.town.command_environment()["AIGUILLEUR_KEYS"])
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        event = await database.fetchval("SELECT value FROM intake.outbox WHERE request_id = $1 ORDER BY id LIMIT 1", request_id)
        sealed = httpx.Response(200, content=event).json()["sealed"]
        keys = await find_keys(database, vault, [request_id])
        assert keys[request_id].open(request_id, sealed, Content).name == NAME
        await scene.run_command("erase", answered["reference"], "--authority", "rivemont")
        assert await find_keys(database, vault, [request_id]) == {}
        await scene.town.settle()
        states = [
            await database.fetchval(f"SELECT state FROM {service}.request WHERE request_id = $1", request_id)
            for service in ("intake", "router", "notifier")
        ]
        assert all(sealed.encode() not in state for state in states)
    finally:
        await database.close()
    async with httpx.AsyncClient(trust_env=False) as http:
        page = await http.get(answered["tracking_url"])
    assert "xylophone" not in page.text


async def test_the_database_refuses_keys_to_those_who_count(town_scene: Scene) -> None:
    for service in ("sla", "stats"):
        connection = await asyncpg.connect(town_scene.town.dsn(service))
        try:
            for statement in ("SELECT 1 FROM vault.request_key", "DELETE FROM vault.request_key", "SELECT 1 FROM intake.request"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        finally:
            await connection.close()
