"""Runs the sla."""

from services.sla.app import build
from services.sla.settings import SlaSettings
from shared.app import main

if __name__ == "__main__":
    main("sla", "Keeps the promise: clocks, warnings, escalations.", SlaSettings, build)
