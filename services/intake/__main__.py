"""Runs intake."""

from shared.memory import without_collector

with without_collector():  # it would look through what is imported again and again: a sixth of the start
    from services.intake.app import build
    from services.intake.settings import IntakeSettings
    from shared.app import main

if __name__ == "__main__":
    main("intake", "Turns anything into a request: public site, API, channel adapters.", IntakeSettings, build)
