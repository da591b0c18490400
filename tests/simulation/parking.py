"""Parked records in memory, settled by the shipped `Parking`: only where it reads rows is told anew."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.delivery.parking import Choice, Listed, Parking
from shared.delivery.shell import Shell
from tests.simulation.store import Tables


class MemoryParking(Parking[Any]):
    """The parked records of one service."""

    def __init__(self, shell: Shell[Any], tables: Tables[Any]) -> None:
        super().__init__(shell)
        self._rows = tables.parked

    async def list_open(self, choice: Choice, *, limit: int = 1000) -> list[Listed]:
        chosen = [
            row
            for row in self._rows.open
            if (not choice.ids or row["id"] in choice.ids)
            and (choice.request_id is None or row["request_id"] == choice.request_id)
            and (choice.why is None or row["why"] == choice.why)
        ]
        last = UUID(int=2**128 - 1)
        chosen.sort(key=lambda row: (row["request_id"] or last, row["sequence"] or 1 << 40, row["id"]))
        return [Listed(*(row[name] for name in Listed._fields)) for row in chosen[:limit]]

    async def _find_open(self, ids: Sequence[int]) -> list[Any]:
        return [self._rows.rows[one] for one in ids if self._rows.rows[one]["resolved_at"] is None]

    async def _still_open(self, ids: Sequence[int]) -> list[int]:
        return [one for one in ids if self._rows.rows[one]["resolved_at"] is None]

    async def _resolve(self, parked_id: int, resolution: str) -> None:
        self._rows.resolve(parked_id, resolution)

    async def _relabel(self, parked_id: int, read: Any) -> None:
        self._rows.relabel(parked_id, read.why, read.detail)
