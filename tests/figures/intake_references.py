"""The references of P1, each a server: `python -m tests.figures.intake_references bare|naive PORT DSN`."""

import asyncio
import base64
import hashlib
import json
import os
import secrets
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import Column, DateTime
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field as Stored
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.memory import tune_collector

_KEK = AESGCM(os.urandom(32))
_KEYS = "INSERT INTO vault.request_key (request_id, authority, wrapped) SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[])"
_STATES = """INSERT INTO intake.request
    (request_id, authority, revision, held, state, seen_handling_v1, seen_escalations_v1, sent_requests_v1)
    SELECT i, a, 1, false, s, 0, 0, 1 FROM unnest($1::uuid[], $2::text[], $4::bytea[]) AS t(i, a, s)"""
_EVENTS = """INSERT INTO intake.outbox (request_id, topic, key, sequence, type, at, value)
    SELECT i, 'requests.v1', k, 1, 'fr.aiguilleur.request.received.v1', now(), v
    FROM unnest($1::uuid[], $5::bytea[], $6::bytea[]) AS t(i, k, v)"""
_TRACKING = """INSERT INTO intake.tracking (request_id, authority, reference, token_digest, status, received_at)
    SELECT i, a, r, d, 'received', now() FROM unnest($1::uuid[], $2::text[], $7::text[], $8::text[]) AS t(i, a, r, d)"""
WRITE = f"WITH k AS ({_KEYS}), s AS ({_STATES}), e AS ({_EVENTS}) {_TRACKING}"


class Body(BaseModel):
    """What is posted."""

    authority: str
    channel: str
    service: str
    email: str
    text: str = Field(max_length=20_000)


@dataclass(frozen=True, slots=True)
class Work:
    """What any implementation has to do for one request: a key, the sealed content, a reference, a token, event and state."""

    request_id: uuid.UUID
    authority: str
    wrapped: bytes
    state: bytes
    key: bytes
    event: bytes
    reference: str
    digest: str


def work(body: Body) -> Work:
    """Do it, the short way."""
    request_id, secret, nonce, token = uuid.uuid4(), os.urandom(32), os.urandom(12), os.urandom(16)
    sealed = base64.b64encode(nonce + AESGCM(secret).encrypt(nonce, body.model_dump_json().encode(), request_id.bytes)).decode()
    reference, now = secrets.token_hex(5), datetime.now(UTC).isoformat()
    event = {
        "request_id": str(request_id),
        "authority": body.authority,
        "at": now,
        "reference": reference,
        "channel": body.channel,
        "service": body.service,
        "promise": {"code": "defaut", "label": "48 heures", "start_at": now, "due_at": now, "working_seconds": 172_800},
        "sealed": sealed,
    }
    encoded = json.dumps(event).encode()
    wrapped = nonce + _KEK.encrypt(nonce, secret, request_id.bytes)
    digest = hashlib.sha256(token).hexdigest()
    return Work(request_id, body.authority, wrapped, encoded, str(request_id).encode(), encoded, reference, digest)


def bare(dsn: str) -> FastAPI:
    """FastAPI and group commit: the next batch gathers while one is being committed; the same rows as ours, one statement."""
    waiting: list[tuple[Work, asyncio.Future[None]]] = []
    woken = asyncio.Event()

    async def flush(pool: asyncpg.Pool) -> None:
        nonlocal waiting
        while True:
            await woken.wait()
            woken.clear()
            batch, waiting = waiting, []
            await pool.execute(WRITE, *[list(column) for column in zip(*(astuple(one) for one, _ in batch), strict=True)])
            for _, future in batch:
                future.set_result(None)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> Any:
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=2)
        task = asyncio.create_task(flush(pool))
        yield
        task.cancel()
        await pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/requests", status_code=201)
    async def create(body: Body) -> dict[str, str]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done = work(body)
        waiting.append((done, future))
        woken.set()
        await future
        return {"request_id": str(done.request_id), "reference": done.reference}

    return app


class Key(SQLModel, table=True):
    """The row of vault.request_key."""

    __table_args__ = {"schema": "vault"}
    __tablename__ = "request_key"
    request_id: uuid.UUID = Stored(primary_key=True)
    authority: str
    wrapped: bytes


class State(SQLModel, table=True):
    """The row of intake.request."""

    __table_args__ = {"schema": "intake"}
    __tablename__ = "request"
    request_id: uuid.UUID = Stored(primary_key=True)
    authority: str
    revision: int = 1
    held: bool = False
    state: bytes
    seen_handling_v1: int = 0
    seen_escalations_v1: int = 0
    sent_requests_v1: int = 1


class Event(SQLModel, table=True):
    """The row of intake.outbox."""

    __table_args__ = {"schema": "intake"}
    __tablename__ = "outbox"
    id: int | None = Stored(default=None, primary_key=True)
    request_id: uuid.UUID
    topic: str = "requests.v1"
    key: bytes
    sequence: int = 1
    type: str = "fr.aiguilleur.request.received.v1"
    value: bytes


class Tracking(SQLModel, table=True):
    """The row of intake.tracking."""

    __table_args__ = {"schema": "intake"}
    __tablename__ = "tracking"
    request_id: uuid.UUID = Stored(primary_key=True)
    authority: str
    reference: str
    token_digest: str
    status: str = "received"
    received_at: datetime = Stored(sa_column=Column(DateTime(timezone=True)))


def naive(dsn: str) -> FastAPI:
    """FastAPI and an SQLModel session per request, the same rows."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=10)
    app = FastAPI()

    @app.post("/v1/requests", status_code=201)
    async def create(body: Body) -> dict[str, str]:
        done = work(body)
        async with AsyncSession(engine) as session:
            session.add(Key(request_id=done.request_id, authority=done.authority, wrapped=done.wrapped))
            session.add(State(request_id=done.request_id, authority=done.authority, state=done.state))
            session.add(Event(request_id=done.request_id, key=done.key, value=done.event))
            session.add(
                Tracking(
                    request_id=done.request_id,
                    authority=done.authority,
                    reference=done.reference,
                    token_digest=done.digest,
                    received_at=datetime.now(UTC),
                )
            )
            await session.commit()
        return {"request_id": str(done.request_id), "reference": done.reference}

    return app


if __name__ == "__main__":
    which, port, address = sys.argv[1:]
    tune_collector()
    uvicorn.run({"bare": bare, "naive": naive}[which](address), port=int(port), log_level="error", access_log=False)
