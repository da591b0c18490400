"""Intake as the shell sees it."""

from services.intake.domain.request import TrackedRequest
from services.intake.domain.step import decide, evolve
from services.intake.store import project
from shared.delivery.service import Service

INTAKE: Service[TrackedRequest] = Service(
    name="intake",
    state=TrackedRequest,
    decide=decide,
    evolve=evolve,
    project=project,
    tables=("tracking",),
    pace_seconds=0.25,
)
