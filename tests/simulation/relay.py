"""The relay's loop, told again: publishes the outbox in order, in sets; of several copies the one that leads.

What a record looks like is the shipped relay's word.
"""

from typing import TYPE_CHECKING

from shared.delivery.relay import SET, headers_of
from tests.simulation.scheduler import MILLISECOND, pause
from tests.simulation.store import Queued

if TYPE_CHECKING:
    from tests.simulation.process import Process


class Relay:
    """The relay of one process."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._source = f"/aiguilleur/{process.group.name}"

    async def serve(self) -> None:
        """Publish while this copy leads; wait to be woken when there is nothing to publish."""
        process, group = self._process, self._process.group
        pending = group.tables.pending
        while True:
            if group.leader is not process or not pending:
                await pause(None)
                continue
            if group.is_away():
                await pause(group.away_until - process.world.scheduler.now)
                continue
            rows, session = [pending[number] for number in sorted(pending)[:SET]], group.relay_session
            self._send(rows)
            if group.armed and (fault := group.strike("relay_crash_after_send")):
                process.crash(f"after publishing {len(rows)} records, before the note of it", fault)
            if process.world.slow:
                await pause(int(process.random.random() * MILLISECOND))
            if group.relay_session != session:
                continue  # whoever had the archive published again ended it: nothing is noted, and these are published once more
            now = process.world.scheduler.now
            for row in rows:
                row.published_at = now
                pending.pop(row.id, None)

    def _send(self, rows: list[Queued]) -> None:
        process, world = self._process, self._process.world
        armed = process.group.armed
        for row in rows:
            one = row.outgoing
            if armed and (fault := process.group.strike("relay_crash_midway")):
                process.crash("in the middle of publishing", fault)
            if one.sequence is None:
                continue  # the copy of a parked record: nobody in the town reads it
            value = one.value
            if armed and (one.topic, one.request_id, one.sequence) not in world.written:
                if fault := process.group.strike("lost_event"):
                    world.lose(one, fault)
                    continue
                if fault := process.group.strike("poison_bytes"):
                    value = world.spoil(one, fault)
            raw = world.log.append(one.topic, one.key, tuple(headers_of(one, source=self._source)), value)
            if (read := world.written_down.input_of(raw, one)) is not None:
                world.decoded[id(raw)] = raw, read
            if world.losses or world.losing:
                world.found(one, whole=value is one.value)
