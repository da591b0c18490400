"""Builds and wires the sla."""

from services.sla.api import add_api
from services.sla.domain.clocks import Clocks
from services.sla.service import SLA
from services.sla.settings import SlaSettings
from services.sla.ticks import Ticker
from shared.app import App, open_parts


async def build(settings: SlaSettings) -> App[Clocks]:
    """Return the sla, ready to serve."""
    app = App(SLA, settings, **await open_parts(settings, "sla"))
    add_api(app)
    app.background.append(Ticker(app).serve)
    return app
