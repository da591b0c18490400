"""Every topic, declared once: broker topics, AsyncAPI document, schemas and access rights are made from this list."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from shared.events import escalations, handling, inbound, notifications, requests


@dataclass(frozen=True)
class Topic:
    """What a topic may hold and who writes and reads it.

    `sequenced`: one writer numbers its events 1, 2, 3... per request (CloudEvents extension `sequence`); otherwise the
    topic is open to others and de-duplicated on CloudEvents (source, id).
    `personal`: "none", "sealed" (only under the request's key) or "clear" (short retention, restricted readers).
    """

    name: str
    description: str
    types: tuple[type[BaseModel], ...]
    producer: str
    consumers: tuple[str, ...]
    key: Literal["request", "service", "any"] = "request"
    sequenced: bool = True
    personal: Literal["none", "sealed", "clear"] = "none"
    retention_days: int = 30
    partitions: int = 6


REQUESTS = Topic(
    name="requests.v1",
    description="What usagers did: received, added, withdrew, asked to reopen, erased.",
    types=(
        requests.RequestReceived,
        requests.InformationAdded,
        requests.WithdrawalAsked,
        requests.ReopeningAsked,
        requests.RequestErased,
    ),
    producer="intake",
    consumers=("router", "sla", "notifier", "stats"),
    personal="sealed",
)
HANDLING = Topic(
    name="handling.v1",
    description="The request's life, in one order.",
    types=(
        handling.RequestRegistered,
        handling.RequestAssigned,
        handling.RequestTransferred,
        handling.TakenInCharge,
        handling.UsagerAsked,
        handling.UsagerReplied,
        handling.RequestAnswered,
        handling.RequestResolved,
        handling.RequestReopened,
        handling.RequestWithdrawn,
        handling.RequestForgotten,
        handling.CommandRefused,
    ),
    producer="router",
    consumers=("intake", "sla", "notifier", "stats"),
    personal="sealed",
)
QUEUES = Topic(
    name="queues.v1",
    description="Each assignment, keyed by authority and service, for business software that works a queue.",
    types=(handling.QueueEntered,),
    producer="router",
    consumers=("business software",),
    key="service",
)
ESCALATIONS = Topic(
    name="escalations.v1",
    description="Promises about to break, and broken.",
    types=(escalations.PromiseWarned, escalations.PromiseMissed, escalations.EscalationRaised),
    producer="sla",
    consumers=("intake", "notifier", "stats"),
)
NOTIFICATIONS = Topic(
    name="notifications.v1",
    description="What became of each mail, never what it says.",
    types=(notifications.MailSent, notifications.MailFailed),
    producer="notifier",
    consumers=("stats",),
)
INBOUND = Topic(
    name="intake.inbound.v1",
    description="Requests that channel adapters hand over. CloudEvents, binary or structured.",
    types=(inbound.RequestSubmitted,),
    producer="channel adapters",
    consumers=("intake",),
    key="any",
    sequenced=False,
    personal="clear",
    retention_days=1,
)
COMMANDS = Topic(
    name="commands.v1",
    description="What business software asks of the router; it accepts or refuses. Codes only.",
    types=(inbound.CommandIssued,),
    producer="business software",
    consumers=("router",),
    sequenced=False,
)

TOPICS: tuple[Topic, ...] = (REQUESTS, HANDLING, QUEUES, ESCALATIONS, NOTIFICATIONS, INBOUND, COMMANDS)
SERVICES: tuple[str, ...] = ("intake", "router", "sla", "notifier", "stats")


def consumed_by(service: str) -> tuple[Topic, ...]:
    """Return the topics that a service reads, in the order of their declaration."""
    return tuple(topic for topic in TOPICS if service in topic.consumers)


def produced_by(service: str) -> tuple[Topic, ...]:
    """Return the topics that a service alone writes."""
    return tuple(topic for topic in TOPICS if topic.producer == service)


def dead_letters(topic: Topic, service: str) -> str:
    """Return the name of the topic that holds copies of what `service` parked from `topic`."""
    return f"{topic.name}.{service}.dlq"
