"""Builds and wires the router."""

from services.router.admission import admit_command
from services.router.domain.life import Life
from services.router.service import ROUTER
from services.router.settings import RouterSettings
from shared.app import App, open_parts
from shared.events.topics import COMMANDS


async def build(settings: RouterSettings) -> App[Life]:
    """Return the router, ready to serve."""
    parts = await open_parts(settings, "router")
    return App(ROUTER, settings, admissions={COMMANDS.name: admit_command}, **parts)
