"""Builds and wires the router."""

from services.router.admission import admit_command
from services.router.domain.life import Life
from services.router.pages import add_pages
from services.router.service import ROUTER
from services.router.settings import RouterSettings
from services.router.site import Site
from shared.actions.link import Links
from shared.app import App, open_parts
from shared.events.topics import COMMANDS


async def build(settings: RouterSettings) -> App[Life]:
    """Return the router, ready to serve."""
    links = Links.from_text(settings.link_key.get_secret_value())
    parts = await open_parts(settings, "router")
    app = App(ROUTER, settings, admissions={COMMANDS.name: admit_command}, **parts)
    site = Site(app, links=links, vault=parts["vault"])
    add_pages(site)
    site.secure()
    return app
