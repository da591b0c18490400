"""Builds and wires the notifier."""

from services.notifier.compose import Composer
from services.notifier.domain.correspondence import Correspondence
from services.notifier.sender import Sender
from services.notifier.service import NOTIFIER
from services.notifier.settings import NotifierSettings, parse_server
from services.notifier.smtp import Line
from shared.actions.link import Links
from shared.app import App, open_parts
from shared.settings import stop


async def build(settings: NotifierSettings) -> App[Correspondence]:
    """Return the notifier, ready to serve."""
    try:
        links = Links.from_text(settings.link_key.get_secret_value())
    except ValueError as error:
        stop(f"AIGUILLEUR_LINK_KEY: {error}")
    parts = await open_parts(settings, "notifier")
    app = App(NOTIFIER, settings, **parts)
    composer = Composer(
        links,
        agents_url=settings.agents_url,
        site_url=settings.site_url,
        sender=settings.sender,
        bounces=settings.bounces,
    )
    composer.prepare({language for one in parts["organisation"].current.authorities.values() for language in one.languages})
    server = parse_server(settings.smtp.get_secret_value())
    lines = [Line(server, name="aiguilleur") for _ in range(settings.connections)]
    sender = Sender(app, composer, parts["vault"], lines=lines, holder=settings.instance)
    app.background += sender.loops
    publish = app.shell.on_commit

    def woken() -> None:
        publish()
        sender.wake()

    app.shell.on_commit = woken
    return app
