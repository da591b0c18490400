"""The services' own tables in memory, and what each of their statements does to them.

A handler is the statement of the same name, told again in Python; `test_rows.py` runs both on the same rows.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from tests.simulation.scheduler import microseconds

Row: TypeAlias = tuple[Any, ...]
Cell: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[UUID, str]
NEVER: Final = -(1 << 62)
"""Before all instants: of a fresh letter, and of a lease that nobody holds."""


class Due:
    """A row that is due at an instant (µs) and is leased by who works on it: of sla.deadline, or of notifier.letter."""

    __slots__ = ("attempts", "authority", "due", "due_at", "leased_by", "leased_until", "what")

    def __init__(self, what: str, due_at: datetime | None, authority: str) -> None:
        self.what = what
        self.due_at = due_at
        self.due = NEVER if due_at is None else microseconds(due_at)
        self.authority = authority
        self.attempts = 0
        self.leased_until = NEVER
        self.leased_by: str | None = None


class OwnRows:
    """The tables that projections and inputs write, of all services. `on_letter`, `on_deadline` hear of what may be due."""

    def __init__(self, keys: dict[UUID, bytes]) -> None:
        self.tracking: dict[UUID, Row] = {}
        self.assignment: dict[UUID, Row] = {}
        self.deadline: dict[Key, Due] = {}
        self.letter: dict[Key, Due] = {}
        self.cell: dict[Cell, int] = {}
        self.duration: dict[Cell, int] = {}
        self.keys = keys
        self.on_letter: Callable[[Key, Due], None] = lambda _key, _row: None
        self.on_deadline: Callable[[Key, Due], None] = lambda _key, _row: None
        self._handlers: Final[dict[str, Callable[[list[Row]], None]]] = {
            "tracking": self._save_tracking,
            "insert keys": self._insert_keys,
            "delete keys": self._delete_keys,
            "assignment": self._save_assignment,
            "save_deadline": self._save_deadline,
            "drop_deadline": self._drop_deadline,
            "save_letter": self._save_letter,
            "drop_letter": self._drop_letter,
            "move_cell": self._move_cell,
            "drop_empty_cell": self._drop_empty_cell,
            "add_duration": self._add_duration,
        }

    def write(self, statement: str, rows: list[Row]) -> None:
        """Run a statement on its rows."""
        self._handlers[statement](rows)

    def _save_tracking(self, rows: list[Row]) -> None:
        for row in rows:
            before = self.tracking.get(row[0])
            self.tracking[row[0]] = row if before is None else (*before[:4], row[4], before[5], row[6])

    def _insert_keys(self, rows: list[Row]) -> None:
        for request_id, _, wrapped in rows:
            assert request_id not in self.keys, f"the key of {request_id} is there already: PostgreSQL would refuse it"
            self.keys[request_id] = wrapped

    def _delete_keys(self, rows: list[Row]) -> None:
        for (request_id,) in rows:
            self.keys.pop(request_id, None)

    def _save_assignment(self, rows: list[Row]) -> None:
        for row in rows:
            before = self.assignment.get(row[0])
            self.assignment[row[0]] = row if before is None else (*before[:3], *row[3:7], before[7], row[8])

    def _save_deadline(self, rows: list[Row]) -> None:
        for request_id, promise, what, due_at, authority in rows:
            key = request_id, promise
            before = self.deadline.get(key)
            row = self.deadline[key] = Due(what, due_at, authority if before is None else before.authority)
            self.on_deadline(key, row)

    def _drop_deadline(self, rows: list[Row]) -> None:
        for request_id, promise in rows:
            self.deadline.pop((request_id, promise), None)

    def _save_letter(self, rows: list[Row]) -> None:
        for row in rows:
            key = row[0], row[1]
            if key not in self.letter:
                fresh = self.letter[key] = Due(row[1], None, row[2])
                self.on_letter(key, fresh)

    def _drop_letter(self, rows: list[Row]) -> None:
        for request_id, name in rows:
            self.letter.pop((request_id, name), None)

    def _move_cell(self, rows: list[Row]) -> None:
        cell = self.cell
        for row in rows:
            key = row[:-1]
            cell[key] = cell.get(key, 0) + row[-1]

    def _drop_empty_cell(self, rows: list[Row]) -> None:
        for key in rows:
            if self.cell.get(key) == 0:
                del self.cell[key]

    def _add_duration(self, rows: list[Row]) -> None:
        for row in rows:
            key = row[:-1]
            self.duration[key] = self.duration.get(key, 0) + row[-1]
