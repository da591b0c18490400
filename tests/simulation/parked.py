"""The table `parked` in memory. What a row keeps, and when two records are the same, is the shipped code's business."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from shared.delivery.parked_rows import ParkedRows
from shared.delivery.values import Folded, Parked, RawRecord
from tests.simulation.scheduler import MINUTE, instant

Row = dict[str, Any]
_COLUMNS = (
    "request_id", "authority", "topic", "partition", "offset", "sequence", "key", "headers", "value", "hidden", "why", "detail",
    "error_id",
)  # fmt: skip


class MemoryParked(ParkedRows):
    """As ParkedRows, on a dictionary. Rows have the columns of the table."""

    def __init__(
        self, service: str, *, read: Callable[[Any], RawRecord], hide: Callable[[bytes], bytes] | None, now: Callable[[], int]
    ) -> None:
        super().__init__(service, read=read, hide=hide)
        self.rows: dict[int, Row] = {}
        self._now = now
        self._places: dict[tuple[str, int, int], int] = {}
        self.open_of: dict[UUID, dict[int, Row]] = {}
        """The open rows of each request, by id: what its fold waits for."""

    async def count_last_minute(self, _connection: Any, topics: Iterable[str]) -> int:
        since, chosen = instant(self._now() - MINUTE), set(topics)
        return sum(
            1
            for row in self.rows.values()
            if row["parked_at"] > since and row["why"] not in ("waiting", "refused") and row["topic"] in chosen
        )

    async def drop_known(self, connection: Any, parked: Sequence[Parked]) -> list[Parked]:
        new: list[Parked] = []
        for one in parked:
            parked_id = self._places.get(one.raw[:3])
            row = self.rows[parked_id] if parked_id is not None else None
            if row is None:
                new.append(one)
            elif not self._is_same(row, one.raw):  # type: ignore[arg-type]  # a row with the same columns
                connection.writes.append(lambda row=row: self._give_way(row))
                new.append(one)
            elif one.sequence is not None and row["resolved_at"] is not None:
                connection.writes.append(lambda row=row, why=one.why: self._open_again(row, why))
        return new

    def _give_way(self, row: Row) -> None:
        self._places.pop((row["topic"], row["partition"], row["offset"]), None)
        row["offset"] = -1 - row["offset"]

    def _open_again(self, row: Row, why: str) -> None:
        row.update(resolved_at=None, resolution=None, why=why)
        self._follow(row)

    def keep(self, folded: Folded[Any]) -> None:
        """Write what a batch parked, released and relabelled: at the commit."""
        for one in folded.parked:
            self.insert(dict(zip(_COLUMNS, self._row(one), strict=True)))
        for parked_id, how in folded.released.items():
            self.resolve(parked_id, how)
        for parked_id, why, detail in folded.relabelled:
            self.rows[parked_id].update(why=why, detail=detail)

    def insert(self, row: Row) -> None:
        """Write a row, unless its place is taken."""
        place = row["topic"], row["partition"], row["offset"]
        if place in self._places:
            return
        row |= {"id": len(self.rows) + 1, "parked_at": instant(self._now()), "resolved_at": None, "resolution": None}
        self.rows[row["id"]] = row
        if row["offset"] >= 0:
            self._places[place] = row["id"]
        self._follow(row)

    def resolve(self, parked_id: int, how: str) -> None:
        """Settle an open row."""
        row = self.rows[parked_id]
        if row["resolved_at"] is None:
            row.update(resolved_at=instant(self._now()), resolution=how)
            if row["request_id"] is not None:
                self.open_of.get(row["request_id"], {}).pop(parked_id, None)

    def relabel(self, parked_id: int, why: str, detail: str) -> None:
        """Give an open row another reason."""
        if self.rows[parked_id]["resolved_at"] is None:
            self.rows[parked_id].update(why=why, detail=detail)

    def _follow(self, row: Row) -> None:
        if row["request_id"] is not None and row["sequence"] is not None:
            self.open_of.setdefault(row["request_id"], {})[row["id"]] = row

    @property
    def open(self) -> list[Row]:
        """The rows that nobody has settled."""
        return [row for row in self.rows.values() if row["resolved_at"] is None]
