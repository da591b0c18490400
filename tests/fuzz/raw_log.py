"""What no producer in Python sends: headers whose names are not UTF-8, batches packed in a way that we cannot unpack."""

import asyncio
import struct
import time
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from tests.fuzz.kinds import BROKER_TAKES
from tests.fuzz.records import Good

_NAME: Final = "XXXX"
BAD_NAME: Final = b"\xe9\xff\xfe\x80"
_HEAD, _LENGTH_AT, _CRC_AT, _ATTRIBUTES_AT = 61, 8, 17, 21
_ZSTD: Final = 4


def with_a_bad_name(one: Good) -> bytes:
    """Return a batch of one record that has a header whose name is not UTF-8."""
    return _sealed(_batch(one.adding(((_NAME, b"1"),))).replace(_NAME.encode(), BAD_NAME, 1))


def packed_by_zstd(one: Good) -> bytes:
    """Return a batch of one record, compressed with zstd (one raw block: a frame that any reader of zstd takes)."""
    batch = _batch(one)
    head, data = bytearray(batch[:_HEAD]), batch[_HEAD:]
    struct.pack_into(">h", head, _ATTRIBUTES_AT, _ZSTD)
    frame = b"\x28\xb5\x2f\xfd" + b"\x60" + struct.pack("<H", len(data) - 256) + (len(data) << 3 | 1).to_bytes(3, "little")
    return _sealed(bytes(head) + frame + data)


def _batch(one: Good) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=BROKER_TAKES,
    )
    builder.append(0, int(time.time() * 1000), one.key, one.value, list(one.headers))
    return bytes(builder.build())


def _sealed(batch: bytes) -> bytes:
    """Return a batch with the length and the checksum that its bytes have now."""
    told = bytearray(batch)
    struct.pack_into(">i", told, _LENGTH_AT, len(told) - _LENGTH_AT - 4)
    struct.pack_into(">I", told, _CRC_AT, calc_crc32c(bytes(told[_ATTRIBUTES_AT:])))
    return bytes(told)


async def publish_batch(bootstrap: str, topic: str, partition: int, batch: bytes) -> None:
    """Write a batch as it is. Raises AssertionError when the broker does not take it."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        client.add_topic(topic)
        code = -1
        for _ in range(20):
            await client.force_metadata_update()
            node = client.cluster.leader_for_partition(TopicPartition(topic, partition))
            answer: Any = await client.send(node, ProduceRequest(None, -1, 5_000, [(topic, [(partition, batch)])]))
            code = answer.topics[0][1][0][1]
            if code == 0:
                return
            await asyncio.sleep(0.2)
        raise AssertionError(f"the broker refused the batch with code {code}")
    finally:
        await client.close()


async def publish(producer: AIOKafkaProducer, bootstrap: str, one: Good, partition: int) -> None:
    """Write a record, also one that aiokafka refuses to write."""
    if one.key is None and one.value is None:
        await publish_batch(bootstrap, one.topic, partition, _batch(one))
    else:
        await producer.send_and_wait(one.topic, one.value, key=one.key, headers=list(one.headers), partition=partition)
