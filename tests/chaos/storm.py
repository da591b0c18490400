"""R8: five times what intake can do; what it does then, and what the rest is told."""

from typing import Final

from tests.chaos.overload import Flood, flood
from tests.chaos.trial import Trial
from tests.proof.report import Figure

TIMES: Final = 5
_ROUNDING: Final = 0.01
"""How much the client may fall short of what it was to offer: posts are sent in sets, at instants a little after they are due."""
_CALM_CONNECTIONS: Final = 64
_STORM_CONNECTIONS: Final = 3000
_CALM_SECONDS: Final = 20.0


async def storm(trial: Trial) -> None:
    """Find the peak, then offer five times as much. Everything has settled before each begins, and at the end."""
    town, history = trial.scene.town, trial.scene.history
    port, seconds = town.ports["intake"], trial.form.flood_seconds
    await trial.scene.orchestrator.all_ready()  # the last fault may just have had one started again
    await town.settle()
    calm = await flood(port, rate=None, seconds=min(seconds, _CALM_SECONDS), connections=_CALM_CONNECTIONS)
    await town.settle(timeout_seconds=300)  # what still works on the calm would slow the storm
    stormy = await flood(port, rate=calm.goodput * TIMES, seconds=seconds, connections=_STORM_CONNECTIONS)
    print(f"  R8 peak {calm.goodput:.0f}/s; at {TIMES} times as much {stormy}", flush=True)
    for figure in figures(calm, stormy):
        trial.note(figure)
    history.accepted |= calm.accepted | stormy.accepted
    history.unknown += calm.unknown + stormy.unknown
    await town.settle(timeout_seconds=300)


def figures(calm: Flood, stormy: Flood) -> list[Figure]:
    """Return R8's figures: whether there was an overload at all, and what became of it."""
    times, share = stormy.offered / calm.goodput, stormy.goodput / calm.goodput
    offered = f"times the peak that was offered (a hundredth of {TIMES} may be missing)"
    return [
        Figure("R8", offered, times, f">= {TIMES}", times >= TIMES * (1 - _ROUNDING)),
        Figure("R8", "goodput at five times the peak, of the peak", share, ">= 0.8", share >= 0.8),
        _none("answers to overload that are neither taken nor 503 with Retry-After", stormy.wrong),
        _none("posts in the overload that had no answer", stormy.unknown),
    ]


def _none(what: str, count: int) -> Figure:
    return Figure("R8", what, count, "<= 0", count == 0)
