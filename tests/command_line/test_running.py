"""The commands against a running town."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.process import ServerProcess
from shared.events.topics import SERVICES
from tests.chaos.forgery import out_of_order, poison, publish
from tests.chaos.load import Load
from tests.scene import Scene

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]


async def run(scene: Scene, *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "aiguilleur", *arguments),
        env=os.environ | scene.town.command_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode()
    assert "Traceback" not in text, text
    return process.returncode or 0, text


@pytest.fixture(scope="module")
async def busy(town_scene: Scene) -> AsyncIterator[Scene]:
    """A town after some seconds of requests."""
    load = Load(town_scene.town.url("intake"), rate=20, history=town_scene.history)
    posting = asyncio.create_task(load.run())
    await asyncio.sleep(4)
    load.stop()
    await posting
    town = town_scene.town
    await town.settle(timeout_seconds=60)
    await publish_commands(town.kafka, sorted(town_scene.history.accepted))
    town.set_clock(town.now(), speed=60.0)
    await town.settle(timeout_seconds=60)
    for days in (1, 6, 10):  # over warnings, misses, and every level of the ladders
        town.set_clock(town.now() + timedelta(days=days), speed=60.0)
        await town.settle(timeout_seconds=60)
    yield town_scene


async def publish_commands(kafka: str, requests: Sequence[UUID]) -> None:
    """Have business software act on most requests: take charge, transfer, resolve, and what will be refused."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for number, request_id in enumerate(requests):
        for action in (("take_charge",), ("transfer",), ("take_charge", "resolve", "transfer"), ())[number % 4]:
            at = "2026-03-03T09:00:00Z"
            told = {"request_id": str(request_id), "authority": "rivemont", "at": at, "action": action, "service": "urbanisme"}
            named = {
                "specversion": "1.0",
                "type": "fr.aiguilleur.command.issued.v1",
                "source": "/test",
                "id": f"{request_id}{action}",
            }
            headers = [(f"ce_{name}", text.encode()) for name, text in named.items()]
            await producer.send("commands.v1", json.dumps(told).encode(), key=str(request_id).encode(), headers=headers)
    await producer.stop()


async def test_all_is_well_in_a_town_that_keeps_up(busy: Scene) -> None:
    code, text = await run(busy, "status")
    assert code == 0, text
    assert all(service in text for service in SERVICES)

    code, text = await run(busy, "status", "--json")
    told = json.loads(text)
    assert told["well"]
    assert [one["lag"] for one in told["services"]] == [0] * 5


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_is_rebuilt_bit_for_bit(busy: Scene, service: str) -> None:
    code, text = await run(busy, "rebuild", service, "--check")

    assert code == 0, text
    assert " 0 different, 0 older than the log" in text
    assert not text.startswith("0 requests")


async def test_what_is_parked_is_shown_replayed_and_skipped(busy: Scene) -> None:
    held, spoilt = out_of_order(), poison()
    await publish(busy.town.kafka, "requests.v1", [held.early, held.early, held.late, held.late])  # its gap closes by itself
    await publish(busy.town.kafka, "requests.v1", spoilt.records)
    busy.history.forged |= {held.request_id} | spoilt.about
    garbage = len(spoilt.records)
    await asyncio.sleep(2)

    code, text = await run(busy, "status")
    assert code == 1
    assert "aiguilleur parked list router" in text

    code, text = await run(busy, "parked", "list", "router")
    assert code == 0
    assert len(text.splitlines()) == 1 + garbage
    assert str(held.request_id) not in text

    identifier = text.splitlines()[1].split()[0]
    code, text = await run(busy, "parked", "show", "router", identifier)
    assert "requests.v1" in text

    code, text = await run(busy, "parked", "replay", "router", "--all")
    assert code == 1
    assert f"0 of {garbage} settled" in text
    for service in ("router", "sla", "notifier", "stats"):
        code, text = await run(busy, "parked", "skip", service, "--all")
        assert code == 0, text
    code, text = await run(busy, "parked", "list", "router")
    assert text == "nothing is parked\n"


async def test_a_stopped_service_is_rebuilt_and_goes_on(busy: Scene) -> None:
    code, text = await run(busy, "rebuild", "router", "--write")
    assert code == 1
    assert "is running" in text

    busy.town.processes.pop("router").stop()
    code, text = await run(busy, "rebuild", "router", "--write")
    assert code == 0, text

    await asyncio.to_thread(busy.town.start, "router")
    code, text = await run(busy, "rebuild", "router", "--check")
    assert code == 0, text
    assert " 0 different" in text


async def test_the_log_may_be_read_again_without_harm(busy: Scene) -> None:
    for arguments in (
        ("republish", "intake"),
        ("republish", "router", "--days", "1"),
        ("rewind", "notifier"),
        ("rewind", "stats"),
    ):
        code, text = await run(busy, *arguments)
        assert code == 0, text
    await busy.heal_and_check()


async def test_errors_are_one_line_with_what_to_do(busy: Scene) -> None:
    code, text = await run(busy, "erase", "0000-0000-0", "--authority", "rivemont")
    assert code == 1
    assert text.startswith("error: rivemont has no request 0000-0000-0\n")

    code, text = await run(busy, "parked", "list", "nobody")
    assert (code, text.splitlines()[0]) == (1, "error: there is no service 'nobody'")

    code, text = await run(busy, "parked", "show", "router", "999999")
    assert (code, text.splitlines()[0]) == (1, "error: router has no parked record 999999")


async def test_one_process_serves_a_small_commune(busy: Scene) -> None:
    town = busy.town
    town.stop()
    process = ServerProcess(
        [sys.executable, "-m", "aiguilleur", "serve"],
        log_file=town.folder / "serve.log",
        pid_file=town.folder / "serve.pid",
        environment=town.command_environment(),
    )
    town.processes["serve"] = process
    for service in SERVICES:
        await asyncio.to_thread(town.wait_ready, service, process)

    load = Load(town.url("intake"), rate=20, history=busy.history)
    posting = asyncio.create_task(load.run())
    await asyncio.sleep(1)
    load.stop()
    await posting

    await busy.heal_and_check()
    town.stop()
    assert process.exit_code == 0
