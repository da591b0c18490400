"""Runs the sla."""

from shared.memory import without_collector

with without_collector():  # it would look through what is imported again and again: a sixth of the start
    from services.sla.app import build
    from services.sla.settings import SlaSettings
    from shared.app import main

if __name__ == "__main__":
    main("sla", "Keeps the promise: clocks, warnings, escalations.", SlaSettings, build)
