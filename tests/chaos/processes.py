"""Faults of processes: they die, are ended, stand still, or wake up when others have taken over."""

import asyncio
import time
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.town import service_of
from tests.chaos.stage import Fault, Span, Stage

_SETTLED_SECONDS: Final = 12.0
"""How long a group is given to settle with a copy that has started, or without one that stands still, on a busy machine."""
_AT_WORK_SECONDS: Final = 2.0
"""How long a copy works before it stands still: it has something in hand then, and whoever watches has seen it well."""
_ANSWER_SECONDS: Final = 3.0


async def kill(stage: Stage, fault: Fault) -> None:
    """kill -9 of a process, or of all of a service."""
    for name in stage.scene.town.names(fault.target):
        await asyncio.to_thread(stage.scene.town.processes[name].kill)


async def stop(stage: Stage, fault: Fault) -> None:
    """End a process in an orderly way, or all of a service."""
    for name in stage.scene.town.names(fault.target):
        await asyncio.to_thread(stage.scene.town.processes[name].stop)


async def restart_all(stage: Stage, _fault: Fault) -> None:
    """A rolling restart: end one process after the other, each when the one before is ready again."""
    for name in stage.scene.town.names():
        await asyncio.to_thread(stage.scene.town.processes[name].stop)
        await stage.scene.orchestrator.all_ready(name)


async def freeze(stage: Stage, fault: Fault) -> None:
    """A process stands still, its connections open, and goes on."""
    async with stage.during(fault, service_of(fault.target)):
        process = stage.scene.town.processes[fault.target]
        process.pause()
        await asyncio.sleep(fault.seconds)
        process.resume()


async def haunt(stage: Stage, fault: Fault) -> None:
    """A process stands still until its group has given its partitions to another copy, and goes on with what it had in hand.

    It met nobody where it never had any, or where the group still counted it at the end: it had died just before, Kafka was
    away, too, or it was killed in its sleep.
    """
    service, town = service_of(fault.target), stage.scene.town
    copies = len(town.names(service))
    async with stage.turn[service]:
        await stage.scene.orchestrator.all_ready(fault.target)
        process = town.processes[fault.target]
        joined = await _has_members(stage, service, copies)
        await asyncio.sleep(_AT_WORK_SECONDS)
        began = time.monotonic()
        process.pause()
        await asyncio.sleep(fault.seconds)
        replaced = await _has_members(stage, service, copies - 1)
        if not (joined and replaced) or process.exit_code is not None:
            stage.unfelt.add(fault)
        process.resume()
        stage.spans.append(Span(fault, began, time.monotonic()))


async def _has_members(stage: Stage, group: str, count: int) -> bool:
    """Wait until a group has so many members, each with its partitions; return whether it came to that."""
    until = time.monotonic() + _SETTLED_SECONDS
    while await _members(stage.scene.kafka.bootstrap, group) != count:
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.5)
    return True


async def _members(kafka: str, group: str) -> int | None:
    """Return how many members a group has that is at rest, each with its partitions; None: it is not, or nobody says."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await admin.start()
            (answer,) = await admin.describe_consumer_groups([group])
            _, _, state, _, _, members, *_ = answer.groups[0]
            return len(members) if state == "Stable" else None
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await admin.close()
