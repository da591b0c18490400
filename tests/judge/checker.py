"""Reads what is left after healing, and tells every broken invariant (`goals.md`, invariants 1 to 13) in a line each.

Knows nothing of how the faults were made: give it what the clients were told, it finds what does not agree. The same
for a real town (`gathering.gather`) and for the simulation, which builds the evidence from memory.
"""

from collections.abc import Callable, Iterable
from typing import Final

from tests.judge.commands import miscounted_commands, wrongly_refused
from tests.judge.consumption import unaccounted_records, untaken_records
from tests.judge.counts import disclosed_cells, miscounted_cells, misreported_cells
from tests.judge.cries import wrong_cries
from tests.judge.delays import broken_delays
from tests.judge.erasures import what_is_left
from tests.judge.evidence import Evidence, History
from tests.judge.existence import missing_requests, unaccounted_requests
from tests.judge.leftovers import leftovers
from tests.judge.letters import wrong_mails
from tests.judge.lives import broken_lives, broken_sequences, miscounted_acts, outdated_acts
from tests.judge.outboxes import wrong_publications
from tests.judge.owners import wrong_owners
from tests.judge.promises import altered_promises, miscalculated_promises
from tests.judge.refusals import unexplained_refusals
from tests.judge.states import diverged_states

Check = Callable[[Evidence, History], Iterable[str]]

CHECKS: Final[tuple[Check, ...]] = (
    missing_requests,
    broken_sequences,
    broken_lives,
    miscounted_acts,
    outdated_acts,
    unexplained_refusals,
    wrong_publications,
    wrong_owners,
    broken_delays,
    altered_promises,
    untaken_records,
    miscounted_commands,
    wrongly_refused,
    wrong_mails,
    miscounted_cells,
    misreported_cells,
    what_is_left,
    unaccounted_requests,
    unaccounted_records,
    leftovers,
    wrong_cries,
)
"""What is cheap: about 0.3 ms a request."""
THOROUGH: Final[tuple[Check, ...]] = (miscalculated_promises, disclosed_cells)
"""What is not: due instants minute by minute, and the disclosure of each month."""


def violations(evidence: Evidence, history: History, *, thorough: bool = True, seed: int = 0) -> list[str]:
    """Return every broken invariant in a line that begins with its number; empty when all hold.

    Without `thorough` no due instant is worked out anew, and the log is folded in one order across topics, drawn from
    `seed`, instead of four.
    """
    checks = (*CHECKS, *THOROUGH) if thorough else CHECKS
    found = [line for check in checks for line in check(evidence, history)]
    return found + list(diverged_states(evidence, history, orders=4 if thorough else 1, seed=seed))
