"""Records whose header names are not UTF-8: aiokafka cannot read them, and would stand still before the first one for ever.

Kafka's broker takes any bytes for the name of a header, and clients in C, Go or Rust send what they are given. aiokafka
decodes names strictly, in compiled code, for a whole fetch at once; whatever comes after such a record on its partition would
wait until somebody deletes it. So a fetch that fails by it is read again by aiokafka's own parser in Python, with one
difference: bytes of a name that are not UTF-8 become escapes such as \\xe9.
"""

from collections.abc import Iterator
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

_BATCHES_WITH_HEADERS: Final = 2


def read_any_header_name() -> None:
    """Have aiokafka's consumers of this process read such records. May be called again."""
    fetcher.MemoryRecords = _KeptRecords
    fetcher.PartitionRecords = _PartitionRecords


class _KeptRecords(MemoryRecords):
    """aiokafka's records, which keep the bytes that they were made from."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


class _PartitionRecords(fetcher.PartitionRecords):
    """What was fetched of a partition. The iteration goes on where it failed: aiokafka passes over what it handed out."""

    _records: Any  # aiokafka's consumer carries no types

    def _unpack_records(self) -> Iterator[Any]:
        """Yield the records."""
        try:
            yield from super()._unpack_records()
        except UnicodeDecodeError:
            self._records = _SlowRecords(self._records.raw)
            yield from super()._unpack_records()


class _SlowRecords(_MemoryRecordsPy):
    """aiokafka's records in Python."""

    def next_batch(self) -> Any:
        """Return the next batch."""
        raw = self._next_slice
        if raw is None or raw[self.MAGIC_OFFSET] < _BATCHES_WITH_HEADERS:  # older ones have no headers
            return super().next_batch()
        self._cache_next()
        return _SlowBatch(raw)


class _SlowBatch(_DefaultRecordBatchPy):
    """aiokafka's batch in Python."""

    _buffer: Any  # aiokafka's, or ours

    def __iter__(self) -> "_SlowBatch":
        super().__iter__()
        self._buffer = _Bytes(self._buffer)
        return self


class _Bytes(bytearray):
    """Bytes that decode whatever they are."""

    def __getitem__(self, place: Any) -> Any:  # Any: an index gives a number, a slice gives bytes
        part = super().__getitem__(place)
        return _Bytes(part) if isinstance(place, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the text, with escapes for what is none; `errors` is not asked."""
        return super().decode(encoding, "backslashreplace")
