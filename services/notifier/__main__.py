"""Runs the notifier."""

from shared.memory import without_collector

with without_collector():  # it would look through what is imported again and again: a sixth of the start
    from services.notifier.app import build
    from services.notifier.settings import NotifierSettings
    from shared.app import main

if __name__ == "__main__":
    main("notifier", "Tells usagers and services by mail what happens to requests.", NotifierSettings, build)
