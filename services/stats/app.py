"""Builds and wires the statistics."""

from services.stats.domain.facts import Facts
from services.stats.pages import add_pages
from services.stats.service import STATS
from services.stats.settings import StatsSettings
from shared.app import App, open_parts


async def build(settings: StatsSettings) -> App[Facts]:
    """Return the statistics, ready to serve."""
    app = App(STATS, settings, **await open_parts(settings, "stats"))
    add_pages(app)
    return app
