"""Builds and wires the router."""

from services.router.domain.life import Life
from services.router.service import ROUTER
from services.router.settings import RouterSettings
from shared.app import App, open_parts


async def build(settings: RouterSettings) -> App[Life]:
    """Return the router, ready to serve."""
    return App(ROUTER, settings, **await open_parts(settings, "router"))
