"""Runs the router."""

from shared.memory import without_collector

with without_collector():  # it would look through what is imported again and again: a sixth of the start
    from services.router.app import build
    from services.router.settings import RouterSettings
    from shared.app import main

if __name__ == "__main__":
    main("router", "Owns who does what, and the request's life.", RouterSettings, build)
