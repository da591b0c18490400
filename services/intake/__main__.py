"""Runs intake."""

from services.intake.app import build
from services.intake.settings import IntakeSettings
from shared.app import main

if __name__ == "__main__":
    main("intake", "Turns anything into a request: public site, API, channel adapters.", IntakeSettings, build)
