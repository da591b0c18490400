"""`aiguilleur status`: is all well?"""

import asyncio
import json
from dataclasses import asdict, dataclass, field
from typing import Annotated

import asyncpg
import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from aiguilleur.settings import CommandSettings
from aiguilleur.terminal import note, say, table
from shared.delivery.ahead import find_ahead
from shared.delivery.closing import close
from shared.delivery.gate import AHEAD
from shared.events.topics import SERVICES, consumed_by

OLD_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 1.5
Ends = dict[tuple[str, int], int]


@dataclass
class ServiceStatus:
    """One service, as its own tables and the log show it. `wrong`: what somebody has to look at, with what to do."""

    service: str
    lag: int | None = None
    outbox: int = 0
    outbox_oldest_seconds: float = 0.0
    parked: int = 0
    held: int = 0
    last_error: str = ""
    taken: int = 0
    wrong: list[str] = field(default_factory=list)


def status(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Say for each service whether it keeps up: records not yet taken, events not yet published, parked, held requests.

    Exit 1 when something is wrong, with a line that says what to do.

    Example: watch aiguilleur status
    """
    statuses = asyncio.run(_look_twice(CommandSettings()))
    wrong = [(one.service, text) for one in statuses for text in one.wrong]
    if as_json:
        say(json.dumps({"well": not wrong, "services": [asdict(one) for one in statuses]}, indent=2))
    else:
        head = ("service", "lag", "to publish", "oldest s", "parked", "held", "last error")
        say(table(head, [_row(one) for one in statuses]))
    for service, text in wrong:
        note(f"{service}: {text}")
    if wrong:
        raise typer.Exit(1)


def _row(one: ServiceStatus) -> tuple[object, ...]:
    lag = "?" if one.lag is None else one.lag
    return one.service, lag, one.outbox, round(one.outbox_oldest_seconds), one.parked, one.held, one.last_error


async def _look_twice(settings: CommandSettings) -> list[ServiceStatus]:
    """Look again a moment later at what lags behind, to tell the slow from the stopped."""
    found = await _look(settings)
    if any(one.lag for one in found):
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        first, found = found, await _look(settings)
        for before, after in zip(first, found, strict=True):
            if before.lag and after.lag and before.taken == after.taken:
                after.wrong.append(f"{after.lag} records wait and none was taken: is the service running? its /live says more")
    for one in found:
        await _compare_with_log(settings, one)
    return found


async def _compare_with_log(settings: CommandSettings, told: ServiceStatus) -> None:
    """Say it when the log is ahead of the database. What is away was said already."""
    try:
        async with asyncpg.create_pool(settings.service_dsn(told.service), min_size=0, max_size=1) as pool:
            if await find_ahead(pool, settings.kafka_address(), told.service) is not None:
                told.wrong.insert(0, AHEAD)
    except (KafkaError, OSError, TimeoutError, asyncpg.PostgresError):
        return


async def _look(settings: CommandSettings) -> list[ServiceStatus]:
    kafka = settings.kafka_address()
    found = [await _look_at(service, settings.service_dsn(service)) for service in SERVICES]
    ends = await _log_ends(kafka)  # after the positions: the log of a busy town ends at or above them
    for told, positions in found:
        if positions is not None:
            _compare(told, positions, ends)
    return [told for told, _ in found]


async def _log_ends(kafka: str) -> Ends | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    try:
        async with asyncio.timeout(10):
            await consumer.start()
            places = [
                TopicPartition(topic.name, number)
                for topic in {topic.name: topic for service in SERVICES for topic in consumed_by(service)}.values()
                for number in range(topic.partitions)
            ]
            found = await consumer.end_offsets(places)
            return {(place.topic, place.partition): end for place, end in found.items()}
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await close(consumer)


async def _look_at(service: str, dsn: str) -> tuple[ServiceStatus, Ends | None]:
    """Return what the service's tables say, and where it stands in the log; None: they were not to be read."""
    told = ServiceStatus(service)
    try:
        connection = await asyncpg.connect(dsn, timeout=5, command_timeout=20)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        name = f"AIGUILLEUR_{service.upper()}_DATABASE"
        told.wrong.append(f"PostgreSQL: {type(error).__name__}: see whether it runs and {name} is right")
        return told, None
    try:
        await _read_tables(connection, told)
        positions = await connection.fetch(f"SELECT topic, partition, next_offset FROM {service}.position")  # noqa: S608
    finally:
        await connection.close()
    return told, {(row[0], row[1]): row[2] for row in positions}


async def _read_tables(connection: asyncpg.Connection, told: ServiceStatus) -> None:
    row = await connection.fetchrow(
        f"""SELECT (SELECT count(*) FROM {told.service}.outbox WHERE published_at IS NULL),
                   (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
                    FROM {told.service}.outbox WHERE published_at IS NULL),
                   (SELECT count(*) FROM {told.service}.parked WHERE resolved_at IS NULL),
                   (SELECT count(*) FROM {told.service}.request WHERE held),
                   (SELECT why || ' at ' || error_id FROM {told.service}.parked WHERE resolved_at IS NULL
                    ORDER BY id DESC LIMIT 1)"""  # noqa: S608
    )
    assert row is not None, "a SELECT without FROM gives one row"
    halts = await connection.fetch(
        f"SELECT instance, why FROM {told.service}.halt WHERE told_at > now() - interval '3 minutes' ORDER BY instance"  # noqa: S608
    )
    told.wrong += [
        f"replica {instance} takes no records any more: {why}. Most likely this version of the service is bad: "
        f"run the one before, then aiguilleur parked replay {told.service}"
        for instance, why in halts
    ]
    told.outbox, told.outbox_oldest_seconds, told.parked, told.held = row[0], row[1], row[2], row[3]
    told.last_error = row[4] or ""
    if told.parked:
        told.wrong.append(f"{told.parked} records are parked: aiguilleur parked list {told.service}")
    if told.outbox_oldest_seconds > OLD_SECONDS:
        told.wrong.append(f"events wait since {told.outbox_oldest_seconds:.0f} s to be published: does the service reach Kafka?")


def _compare(told: ServiceStatus, positions: Ends, ends: Ends | None) -> None:
    if ends is None:
        told.wrong.append("Kafka does not answer: see whether it runs and AIGUILLEUR_KAFKA is right")
        return
    names = {topic.name for topic in consumed_by(told.service)}
    mine = {place: end for place, end in ends.items() if place[0] in names}
    told.taken = sum(positions.get(place, 0) for place in mine)
    told.lag = sum(max(0, end - positions.get(place, 0)) for place, end in mine.items())
    if any(positions.get(place, 0) > end for place, end in mine.items()):
        told.wrong.append(
            "the log is shorter than what was read: if it was lost, follow docs/operations/lose-kafka.md; if it was cut, or "
            f"restored from an old copy, `aiguilleur rewind {told.service}`"
        )
