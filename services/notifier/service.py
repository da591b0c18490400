"""The notifier as the shell sees it."""

from services.notifier.domain.correspondence import Correspondence
from services.notifier.domain.step import decide, evolve
from services.notifier.store import project
from shared.delivery.service import Service

NOTIFIER: Service[Correspondence] = Service(
    name="notifier", state=Correspondence, decide=decide, evolve=evolve, project=project, tables=("letter",)
)
