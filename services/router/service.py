"""The router as the shell sees it."""

from services.router.domain.life import Life
from services.router.domain.step import decide, evolve
from services.router.store import project
from shared.delivery.service import Service

ROUTER: Service[Life] = Service(name="router", state=Life, decide=decide, evolve=evolve, project=project, tables=("assignment",))
