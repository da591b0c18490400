"""The load that the figures are taken with: requests received, as intake publishes them."""

import asyncio
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer

from shared.clock import SystemClock
from shared.events.envelope import encode_headers
from shared.events.requests import Promise, RequestReceived
from shared.identifiers import RequestIds

AUTHORITY = "rivemont"
_SERVICES = ("voirie", "proprete", "education", "etat-civil", "ccas", "urbanisme", "maire")
_GATHERED = 5000


_IDS = RequestIds(SystemClock())


def request_received(number: int, now: datetime) -> RequestReceived:
    """Return the event of one request, of the size that real ones have (about 1 kB), its id made as intake makes them."""
    promise = Promise(
        code="defaut",
        kind="taking_charge",
        label="48 heures ouvrées",
        start_at=now,
        working_seconds=48 * 3600,
        warn_at=now + timedelta(days=5),
        due_at=now + timedelta(days=7),
        calendar="bureaux",
        calendar_version=1,
        ladder="ordinaire",
    )
    return RequestReceived(
        request_id=_IDS.new(),
        authority=AUTHORITY,
        at=now,
        reference=f"{number:09d}",
        channel="web",
        service=_SERVICES[number % len(_SERVICES)],
        category=None,
        language="fr",
        demande=False,
        promise=promise,
        unowned_due_at=now + timedelta(hours=1),
        sealed="A" * 400,
    )


async def produce_requests(bootstrap: str, count: int) -> None:
    """Publish `count` first events on requests.v1, with the headers that intake's relay gives them."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=262_144)
    await producer.start()
    try:
        now = datetime.now(UTC)
        waiting = []
        for number in range(count):
            event = request_received(number, now)
            name = f"{event.request_id}.requests.v1.1"
            headers = encode_headers(
                type=event.type_, source="/aiguilleur/intake", id=name, sequence=1, time=now, traceparent=None
            )
            key = str(event.request_id).encode()
            waiting.append(await producer.send("requests.v1", event.model_dump_json().encode(), key=key, headers=headers))
            if len(waiting) >= _GATHERED:
                await asyncio.gather(*waiting)
                waiting = []
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
