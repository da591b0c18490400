"""The five services, found by their names: settings, build, and what the shell needs of each."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiguilleur.terminal import CommandError
from shared.app import App, Build
from shared.events.topics import SERVICES
from shared.settings import ServiceSettings, read_settings


def named(service: str) -> str:
    """Return the name of a service if there is one. Raises CommandError with those that exist."""
    if service not in SERVICES:
        raise CommandError(f"there is no service {service!r}", hint=f"the services are: {', '.join(SERVICES)}")
    return service


def settings_class(service: str) -> type[ServiceSettings]:
    """Return the class of a service's settings."""
    module = importlib.import_module(f"services.{service}.settings")
    cls: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    return cls


def build_of(service: str) -> Build:
    """Return the function that builds a service."""
    build: Build = importlib.import_module(f"services.{service}.app").build
    return build


async def require_not_ahead(app: App[Any]) -> None:
    """Let the command change states. Raises CommandError: the database is older than the log; KafkaError: Kafka is away."""
    await app.shell.gate.compare(app.find_ahead)
    if not app.shell.gate.is_open:
        raise CommandError(
            "the database is older than the log: it was restored", hint="stop all services, `aiguilleur reconcile`"
        )


@asynccontextmanager
async def open_app(service: str) -> AsyncIterator[App[Any]]:
    """Build a service from the environment, as its process would, without serving anything.

    A setting that is missing ends the command with its name (shared/settings.py).
    """
    settings = read_settings(settings_class(named(service)))
    app = await build_of(service)(settings)
    try:
        yield app
    finally:
        app.pool.terminate()
