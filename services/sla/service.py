"""The sla as the shell sees it."""

from services.sla.domain.clocks import Clocks
from services.sla.domain.step import decide, evolve
from services.sla.store import project
from shared.delivery.service import Service

SLA: Service[Clocks] = Service(
    name="sla", state=Clocks, decide=decide, evolve=evolve, project=project, tables=("deadline",), pace_seconds=0.25
)
