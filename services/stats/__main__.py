"""Runs the statistics."""

from shared.memory import without_collector

with without_collector():  # it would look through what is imported again and again: a sixth of the start
    from services.stats.app import build
    from services.stats.settings import StatsSettings
    from shared.app import main

if __name__ == "__main__":
    main("stats", "Counts without names.", StatsSettings, build)
