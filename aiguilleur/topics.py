"""`aiguilleur topics`: create what is missing on the broker."""

import asyncio
from typing import Annotated

import typer

from aiguilleur.settings import CommandSettings
from aiguilleur.terminal import say
from shared.events.broker import create_topics


def topics(
    replication: Annotated[int, typer.Option(min=1, max=9, help="copies of each partition; 3 on a cluster of 3 brokers")] = 1,
) -> None:
    """Create the topics that are missing, as shared/events/topics.py declares them. Those that exist stay as they are.

    Example: AIGUILLEUR_KAFKA=kafka:9092 aiguilleur topics --replication 3
    """
    created = asyncio.run(create_topics(CommandSettings().kafka_address(), replication=replication))
    for name in sorted(created):
        say(f"created {name}")
    say(f"{len(created)} topics created" if created else "every topic is there")
