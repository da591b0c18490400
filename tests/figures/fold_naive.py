"""The naive way of P3: FastStream one message at a time, an SQLModel session each. What a tutorial would write."""

import asyncio
import uuid
from datetime import datetime

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from sqlalchemy import Column, DateTime, LargeBinary, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.events.handling import QueueEntered, RequestAssigned, RequestRegistered
from shared.events.requests import RequestReceived


class _Router(SQLModel):
    metadata = MetaData(schema="router")


class Request(_Router, table=True):
    """The shell's row."""

    request_id: uuid.UUID = Field(primary_key=True)
    authority: str
    revision: int = 1
    held: bool = False
    state: bytes = Field(sa_column=Column(LargeBinary))
    seen_requests_v1: int = 1
    sent_handling_v1: int = 2
    sent_queues_v1: int = 1


class Assignment(_Router, table=True):
    """The owner."""

    request_id: uuid.UUID = Field(primary_key=True)
    authority: str
    reference: str
    service: str | None
    status: str
    reason: str
    version: int
    due_at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    changed_at: datetime = Field(sa_column=Column(DateTime(timezone=True)))


class Outbox(_Router, table=True):
    """A record to publish."""

    id: int | None = Field(default=None, primary_key=True)
    request_id: uuid.UUID
    topic: str
    key: bytes
    sequence: int
    type: str
    at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    value: bytes


def _rows(event: RequestReceived) -> list[SQLModel]:
    told = {"request_id": event.request_id, "authority": event.authority, "at": event.at}
    events = [
        RequestRegistered(
            **told, version=1, status="registered", service=None, reference=event.reference, channel="web", category=None
        ),
        RequestAssigned(**told, version=2, status="assigned", service=event.service, reason="chosen"),
        QueueEntered(
            **told,
            service=event.service or "",
            reference=event.reference,
            category=None,
            reason="chosen",
            due_at=event.promise.due_at,
        ),
    ]
    assignment = Assignment(
        request_id=event.request_id,
        authority=event.authority,
        reference=event.reference,
        service=event.service,
        status="assigned",
        reason="chosen",
        version=2,
        due_at=event.promise.due_at,
        changed_at=event.at,
    )
    outbox = [
        Outbox(
            request_id=event.request_id,
            topic=topic,
            key=str(event.request_id).encode(),
            sequence=sequence,
            type=one.type_,
            at=one.at,
            value=one.model_dump_json().encode(),
        )
        for one, topic, sequence in zip(events, ("handling.v1", "handling.v1", "queues.v1"), (1, 2, 1), strict=True)
    ]
    request = Request(request_id=event.request_id, authority=event.authority, state=event.model_dump_json().encode())
    return [request, assignment, *outbox]


async def fold_naive(bootstrap: str, dsn: str, count: int, group: str) -> None:
    """Take `count` records, then return."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    broker = KafkaBroker(bootstrap, logger=None)
    left = count
    done = asyncio.Event()

    @broker.subscriber("requests.v1", group_id=group, auto_offset_reset="earliest", ack_policy=AckPolicy.ACK)
    async def handle(event: RequestReceived) -> None:
        nonlocal left
        if left <= 0:
            return
        async with AsyncSession(engine) as session:
            session.add_all(_rows(event))
            await session.commit()
        left -= 1
        if left == 0:
            done.set()

    await broker.start()
    try:
        await asyncio.wait_for(done.wait(), 300)
    finally:
        await broker.stop()
        await engine.dispose()
