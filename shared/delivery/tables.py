"""The tables that the shell keeps in the schema of each service. Frozen: a change is a new function and a new migration."""

from typing import Any

from shared.delivery.service import Service


def column(topic_name: str) -> str:
    """Return the part of a column's name that stands for a topic: `requests.v1` -> `requests_v1`."""
    return topic_name.replace(".", "_").replace("-", "_")


def create_v1(service: str, consumed: tuple[str, ...], produced: tuple[str, ...]) -> list[str]:
    """Return the statements that create the shell's tables for a service, given its sequenced topics, read and written."""
    counters = [f"seen_{column(name)} integer NOT NULL" for name in consumed]
    counters += [f"sent_{column(name)} integer NOT NULL" for name in produced]
    return [
        f"""CREATE TABLE {service}.position (
            topic text NOT NULL, partition integer NOT NULL, next_offset bigint NOT NULL, log uuid,
            PRIMARY KEY (topic, partition))""",
        f"""CREATE TABLE {service}.request (
            request_id uuid PRIMARY KEY, authority text NOT NULL, revision integer NOT NULL, held boolean NOT NULL,
            state bytea, {", ".join(counters)}) WITH (fillfactor = 75)""",
        f"CREATE INDEX request_held ON {service}.request (request_id) WHERE held",
        f"""CREATE TABLE {service}.outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, request_id uuid, topic text NOT NULL, key bytea,
            sequence integer, type text NOT NULL, at timestamptz, traceparent text, value bytea, headers bytea, seen text,
            created_at timestamptz NOT NULL DEFAULT now(),
            published_at timestamptz)""",
        f"CREATE INDEX outbox_pending ON {service}.outbox (id) WHERE published_at IS NULL",
        f"CREATE INDEX outbox_age ON {service}.outbox USING brin (created_at)",
        f"""CREATE TABLE {service}.parked (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, request_id uuid, authority text, topic text NOT NULL,
            partition integer NOT NULL, "offset" bigint NOT NULL, sequence integer, key bytea, headers bytea NOT NULL,
            value bytea, hidden boolean NOT NULL, why text NOT NULL, detail text NOT NULL, error_id text NOT NULL,
            parked_at timestamptz NOT NULL DEFAULT now(), resolved_at timestamptz, resolution text)""",
        f"CREATE INDEX parked_open ON {service}.parked (request_id) WHERE resolved_at IS NULL",
        f"CREATE INDEX parked_age ON {service}.parked (parked_at)",
        f'CREATE UNIQUE INDEX parked_place ON {service}.parked (topic, partition, "offset") WHERE "offset" >= 0',
        f"""CREATE TABLE {service}.halt (
            instance text PRIMARY KEY, why text NOT NULL, told_at timestamptz NOT NULL DEFAULT now())""",
        f"""CREATE TABLE {service}.inbox (
            source text NOT NULL, id text NOT NULL, digest bytea, request_id uuid NOT NULL,
            taken_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (source, id))""",
    ]


TABLES = ("position", "request", "outbox", "parked", "halt", "inbox")


def counters(service: Service[Any]) -> tuple[list[str], list[str]]:
    """Return the columns that hold the last sequence seen per topic read, and sent per topic written."""
    return (
        [f"seen_{column(topic.name)}" for topic in service.sequenced],
        [f"sent_{column(topic.name)}" for topic in service.produces],
    )
