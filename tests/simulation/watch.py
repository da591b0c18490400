"""What has to hold at every instant, looked at after each commit; the checker sees only how it ended."""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from shared.delivery.store import Place
from shared.delivery.values import Folded
from tests.simulation.log import Log

if TYPE_CHECKING:
    from tests.simulation.group import Group
    from tests.simulation.world import World

GAP_NOT_SEEN: Final = "2 gap not seen"
OPEN = frozenset({"assigned", "in_charge", "waiting", "answered"})


def watch(world: "World") -> None:
    """Look at each commit of each service."""
    for group in world.groups.values():
        group.tables.on_commit = _Watch(world, group).look


def is_followed(log: Log, topic: str, request_id: UUID, sequence: int, *, before: int | None = None) -> bool:
    """Tell whether a later event of the request is in the topic; `before`: below this offset."""
    key = str(request_id).encode()
    place = log.place_of(topic, key)
    records = log.read(place, 0, log.end(place) if before is None else before)
    return any(one.key == key and int(dict(one.headers).get("ce_sequence", b"0")) > sequence for one in records)


class _Watch:
    def __init__(self, world: "World", group: "Group") -> None:
        self._world = world
        self._group = group
        self._is_router = group.name == "router"
        self._place = {topic.name: place for place, topic in enumerate(group.service.sequenced)}

    def look(self, folded: Folded[Any], moved: dict[Place, int]) -> None:
        world = self._world
        if folded.parked or any(why == "gap" for _, why, _ in folded.relabelled):
            world.operator.call()
        if any(result.kind == "duplicate" for result in folded.results):
            world.count("duplicate dropped")
        if self._is_router:
            self._owners(folded)
        if world.losses:
            self._gaps(moved, {one.request_id for one in folded.saved})
        if world.story is not None:
            self._tell(folded)

    def _owners(self, folded: Folded[Any]) -> None:
        """One owner while it is open, none when it is closed: at every instant that anybody can see."""
        rows = self._world.rows.assignment
        for one in folded.saved:
            row = rows.get(one.request_id)
            if row is not None and (row[4] in OPEN) != (row[3] is not None):
                self._world.violate(f"4 owner: {one.request_id} is {row[4]} and owned by {row[3]}")

    def _gaps(self, moved: dict[Place, int], saved: set[UUID]) -> None:
        """An event that is missing is never passed over: what follows it is parked at once, by everybody."""
        tables, log = self._group.tables, self._world.log
        for topic, request_id, sequence in self._world.losses:
            spot = self._place.get(topic)
            if spot is None:
                continue
            row = tables.requests.get(request_id)
            if row is not None and row.seen[spot] >= sequence and not self._had(topic, request_id, sequence):
                self._world.violate(
                    f"{GAP_NOT_SEEN}: {self._group.name} took {topic} {request_id} past {sequence}, which is lost"
                )
            place = log.place_of(topic, str(request_id).encode())
            if place in moved or request_id in saved:
                self._noticed(place, topic, request_id, sequence)

    def _had(self, topic: str, request_id: UUID, sequence: int) -> bool:
        """Whether it was in the log once: only what is lost before anybody read it leaves a gap."""
        return (topic, request_id, sequence) in self._world.written

    def _noticed(self, place: Place, topic: str, request_id: UUID, sequence: int) -> None:
        """Whoever has read past it says that there is a gap, or holds this or an earlier event, of which it has said so."""
        tables = self._group.tables
        parked = {
            row["sequence"]: row["why"] for row in tables.parked.open_of.get(request_id, {}).values() if row["topic"] == topic
        }
        if any(why == "gap" for number, why in parked.items() if number > sequence):
            self._world.told_gaps.add((topic, request_id, sequence))
            return
        row = tables.requests.get(request_id)
        if (row is not None and row.seen[self._place[topic]] >= sequence) or any(number <= sequence for number in parked):
            return
        if is_followed(self._world.log, topic, request_id, sequence, before=tables.positions.get(place, 0)):
            self._world.violate(f"{GAP_NOT_SEEN}: {self._group.name} read {topic} {request_id} past {sequence} and told no gap")

    def _tell(self, folded: Folded[Any]) -> None:
        world, name = self._world, self._group.name
        for one in folded.outbox:
            if one.sequence is not None:
                world.note(
                    f"{name} commits {one.type.removeprefix('fr.aiguilleur.')} ({one.topic} {one.sequence})", one.request_id
                )
        for parked in folded.parked:
            where = f"{parked.raw.topic} {parked.sequence or ''}"
            world.note(f"{name} parks {where} as {parked.why}: {parked.detail}", parked.request_id)
        for parked_id, how in folded.released.items():
            row = self._group.tables.parked.rows[parked_id]
            world.note(f"{name} releases {row['topic']} {row['sequence']}: {how}", row["request_id"])
