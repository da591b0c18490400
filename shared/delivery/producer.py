"""The Kafka producer of a relay: idempotent, and thrown away after any error (an aiokafka producer can die for good)."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.delivery.closing import close
from shared.events.envelope import MAX_VALUE_BYTES

SEND_SECONDS = 20.0
Publishable = tuple[str, bytes | None, list[tuple[str, bytes]], bytes | None]
"""Topic, key, headers, value."""
NOT_SENT: tuple[type[BaseException], ...] = (KafkaError, OSError, TimeoutError, asyncio.TimeoutError, AssertionError)


class Producer:
    """Sends sets of records, each set whole or not at all as far as the caller is told."""

    def __init__(self, bootstrap: str, *, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._producer: Any = None  # AIOKafkaProducer, which carries no types

    async def send(self, records: Sequence[Publishable]) -> None:
        """Send the records in their order per key, and return when Kafka has acknowledged all of them.

        Raises:
            one of NOT_SENT: some may have been written; send the same set again: readers drop what they have seen.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                producer = await self._started()
                acknowledgements = [
                    await producer.send(topic, value, key=key, headers=headers) for topic, key, headers, value in records
                ]
                await asyncio.gather(*acknowledgements)
        except BaseException:
            await self.close()
            raise

    async def _started(self) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=self._client_id,
                enable_idempotence=True,
                acks="all",
                linger_ms=0,
                max_batch_size=262_144,
                max_request_size=MAX_VALUE_BYTES + 100_000,
                request_timeout_ms=10_000,
            )
            try:
                await producer.start()
            except BaseException:
                await close(producer)
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Give the connection up without waiting for what is under way."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close(producer)
