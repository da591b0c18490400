"""The aggregates are a recount of the log, whatever the order across topics and the size of the batches."""

from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from deploy.local.town import ORGANISATION
from services.stats.domain.facts import Facts
from services.stats.service import STATS
from services.stats.store import ADD_DURATION, DROP_EMPTY_CELL, MOVE_CELL
from shared.delivery.core import Core
from shared.delivery.service import Context
from shared.delivery.values import Input, Known
from shared.organisation import load
from tests.stats.log import RECEIVED, Log, random_log, request_id
from tests.stats.recount import recount

TOWN = load(ORGANISATION).authority("rivemont")
TOPICS = ("requests.v1", "handling.v1", "escalations.v1", "notifications.v1")


def records(logs: list[Log], random: Random) -> list[Input]:
    """The events of all requests as a reader may get them: in order within a request and topic, some of them twice."""
    queues = []
    for number, log in enumerate(logs, start=1):
        for topic, events in zip(TOPICS, log, strict=True):
            told = [Input(request_id(number), "rivemont", e, True, topic, place) for place, e in enumerate(events, start=1)]
            queues.append([one for one in told for _ in range(1 + (random.random() < 0.1))])
    read = []
    while queues := [queue for queue in queues if queue]:
        read.append(random.choice(queues).pop(0))
    return read


def folded(read: list[Input], random: Random) -> tuple[Counter[Any], Counter[Any], dict[UUID, bytes | None]]:
    """Fold in batches of any size; return the tables, kept as PostgreSQL keeps them, and the states."""
    core: Core[Facts] = Core(STATS)
    known: dict[UUID, Known[Facts]] = {}
    cells, durations = Counter[Any](), Counter[Any]()
    while read:
        size = random.randint(1, 40)
        batch, read = read[:size], read[size:]
        out = core.fold(batch, known, {}, lambda _, one: Context(RECEIVED, TOWN, one))
        assert not out.parked
        for saved in out.saved:
            known[saved.request_id] = Known(core.codec.decode(saved.state), saved.revision, list(saved.seen), list(saved.sent))
        for *key, amount in out.rows.get(MOVE_CELL, []):
            cells[tuple(key)] += amount
        for row in out.rows.get(DROP_EMPTY_CELL, []):
            if cells[row] == 0:
                del cells[row]
        durations.update(row[:-1] for row in out.rows.get(ADD_DURATION, []))
    return cells, durations, {one: core.codec.encode(state.state) for one, state in known.items()}


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_aggregates_are_a_recount_of_the_log_in_any_order_and_batching(count: int, random: Random) -> None:
    logs = [random_log(random, number) for number in range(1, count + 1)]

    cells, durations, states = folded(records(logs, random), random)
    again = folded(records(logs, random), random)

    assert (dict(cells), dict(durations)) == tuple(dict(one) for one in recount(logs))
    assert (cells, durations, states) == again  # empty cells too: none is left behind
