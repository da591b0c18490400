"""Builds and wires intake."""

from services.intake.api import add_api
from services.intake.domain.request import TrackedRequest
from services.intake.form_pages import add_form_pages
from services.intake.pages import add_pages
from services.intake.retention import Retention
from services.intake.service import INTAKE
from services.intake.settings import IntakeSettings
from services.intake.site import Site
from services.intake.submission import Acceptance
from services.intake.tracking_pages import add_tracking_pages
from shared.app import App, open_parts
from shared.events.topics import INBOUND
from shared.vault.escrow import Escrow


async def build(settings: IntakeSettings) -> App[TrackedRequest]:
    """Return intake, ready to serve."""
    parts = await open_parts(settings, "intake")
    vault = parts["vault"]
    escrow = Escrow.from_text(settings.escrow_public_key) if settings.escrow_public_key else None
    acceptance = Acceptance(organisation=parts["organisation"], clock=parts["clock"], vault=vault, escrow=escrow)
    app = App(INTAKE, settings, **parts, admissions={INBOUND.name: acceptance.admit})
    site = Site(app, settings, acceptance=acceptance, vault=vault)
    add_api(site)
    add_tracking_pages(site)
    add_form_pages(site)
    add_pages(site)
    site.secure()
    app.background.append(Retention(app).serve)
    return app
