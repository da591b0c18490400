"""Runs the notifier."""

from services.notifier.app import build
from services.notifier.settings import NotifierSettings
from shared.app import main

if __name__ == "__main__":
    main("notifier", "Tells usagers and services by mail what happens to requests.", NotifierSettings, build)
