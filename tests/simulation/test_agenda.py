"""When the next look at what is due is worth while, and what becomes of a claim that nobody hears of. Without a server."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.delivery.sample import NOW
from tests.simulation.agenda import Agenda, Deadlines
from tests.simulation.connection import Locks, Pool
from tests.simulation.desk import Calm
from tests.simulation.rows import Due, Key
from tests.simulation.scheduler import HOUR, MINUTE, Scheduler, microseconds

KEY: Key = (UUID(int=1), "taking_charge")


def test_a_lease_that_is_over_is_not_waited_for() -> None:
    """Else whoever sleeps until then looks again and again until something else is due."""
    now = start = microseconds(NOW)
    row = Due("due", NOW, "rivemont")
    rows = {KEY: row}
    agenda = Agenda(rows, lambda: now)
    agenda.add(KEY, row)

    assert agenda.claim(now, limit=1, lease=MINUTE) == [(KEY, row)]
    assert agenda.next() == (None, start + MINUTE)

    row.due_at, row.due = NOW + timedelta(hours=1), start + HOUR
    now = start + 2 * MINUTE
    assert agenda.next() == (start + HOUR, None)


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
async def test_who_does_not_hear_of_a_claim_gets_nothing_whether_it_was_made_or_not(*, done: bool) -> None:
    row, trouble = Due("due", NOW, "rivemont"), Calm()
    agenda = Agenda({KEY: row}, lambda: microseconds(NOW))
    agenda.add(KEY, row)
    deadlines = Deadlines(Pool(Locks(Scheduler(NOW)), trouble), agenda)

    trouble.lost = done
    with pytest.raises(ConnectionResetError):
        await deadlines.claim_due(NOW, limit=1, lease=timedelta(minutes=1))

    again = await deadlines.claim_due(NOW, limit=1, lease=timedelta(minutes=1))
    assert [one.request_id for one in again] == ([] if done else [KEY[0]])
    assert agenda.unheard["claim"] == done
