"""When the next look at what is due is worth while. Without a server."""

from datetime import timedelta
from uuid import UUID

from tests.delivery.sample import NOW
from tests.simulation.agenda import Agenda
from tests.simulation.rows import Due, Key
from tests.simulation.scheduler import HOUR, MINUTE, microseconds

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
