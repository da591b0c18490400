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
from shared.settings import stop


async def build(settings: RouterSettings) -> App[Life]:
    """Return the router, ready to serve."""
    links = _links(settings)
    parts = await open_parts(settings, "router")
    if parts["vault"] is None:
        stop("AIGUILLEUR_KEYS is missing: the agents' pages open requests and seal answers with it")
    app = App(ROUTER, settings, admissions={COMMANDS.name: admit_command}, **parts)
    site = Site(app, links=links, vault=parts["vault"])
    add_pages(site)
    site.secure()
    return app


def _links(settings: RouterSettings) -> Links:
    if settings.link_key is None:
        stop("AIGUILLEUR_LINK_KEY is missing: the same as the notifier's (openssl rand -base64 32)")
    try:
        return Links.from_text(settings.link_key.get_secret_value())
    except ValueError as error:
        stop(f"AIGUILLEUR_LINK_KEY: {error}")
