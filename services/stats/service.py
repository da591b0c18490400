"""The statistics as the shell sees them."""

from services.stats.domain.facts import Facts
from services.stats.domain.step import decide, evolve
from services.stats.store import project
from shared.delivery.service import Service

STATS: Service[Facts] = Service(
    name="stats", state=Facts, decide=decide, evolve=evolve, project=project, tables=("cell", "duration"), pace_seconds=0.25
)
