"""What a given server holds already: a demo or a test run must not break an installation that somebody uses.

Roles belong to a PostgreSQL server, not to a database: to migrate anything there changes the passwords of all who log in as them.
"""

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.process import StartError
from shared.db.rights import role_of
from shared.delivery.closing import close
from shared.events.broker import wanted_topics
from shared.events.topics import SERVICES

DEMO_PREFIX = "aiguilleur_demo_"
TEST_PREFIX = "test_"
_USERS = """SELECT DISTINCT datname FROM pg_shdepend
    JOIN pg_roles ON pg_roles.oid = refobjid JOIN pg_database ON pg_database.oid = dbid
    WHERE refclassid = 'pg_authid'::regclass AND rolname = ANY($1) ORDER BY datname"""


async def refuse_used_roles(admin_dsn: str) -> None:
    """Return if the services' roles are not there, or only for demos and tests. Raises StartError, before anything is changed."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        rows = await connection.fetch(_USERS, [role_of(service) for service in SERVICES])
    finally:
        await connection.close()
    others = [row["datname"] for row in rows if not row["datname"].startswith((DEMO_PREFIX, TEST_PREFIX))]
    if others:
        raise StartError(
            f"the database {', '.join(others)} of this PostgreSQL uses the roles aiguilleur_*, whose passwords would be changed: "
            "give another server, or unset AIGUILLEUR_POSTGRES_ADMIN to have one started"
        )


async def delete_topics(bootstrap: str, names: list[str]) -> None:
    """Delete topics, with what is in them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        await admin.delete_topics(names)
    finally:
        await admin.close()


async def refuse_used_topics(bootstrap: str) -> None:
    """Return if our topics are not there, or never held a record. Raises StartError."""
    admin, consumer = AIOKafkaAdminClient(bootstrap_servers=bootstrap), AIOKafkaConsumer(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        await consumer.start()
        names = {topic.name for topic in wanted_topics(replication=1)} & set(await admin.list_topics())
        told = await admin.describe_topics(sorted(names)) if names else []
        places = [TopicPartition(one["topic"], part["partition"]) for one in told for part in one["partitions"]]
        ends = await consumer.end_offsets(places) if places else {}
    finally:
        await close(consumer)
        await admin.close()
    used = sorted({place.topic for place, end in ends.items() if end > 0})
    if used:
        raise StartError(
            f"this Kafka holds records of another run in {', '.join(used)}: "
            "give another server, or unset AIGUILLEUR_KAFKA to have one started"
        )
