"""The settings that all services share. Only a service's `__main__` reads the environment; everything else gets arguments."""

import sys
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.setting_types import DatabaseAddress, KafkaAddress, Keys, LinkKey, Port, WebAddress

T = TypeVar("T", bound="ServiceSettings")


def shared_field(name: str, description: str, default: object = ...) -> object:
    """Declare a setting that has one name for all services: AIGUILLEUR_<NAME>."""
    return Field(default, validation_alias=AliasChoices(f"AIGUILLEUR_{name}"), description=description)


class ServiceSettings(BaseSettings):
    """What every service needs. A subclass sets `env_prefix` (AIGUILLEUR_INTAKE_ ...) for its own settings."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    kafka: KafkaAddress = shared_field("KAFKA", "Kafka's address: host:port[,host:port]")  # type: ignore[assignment]
    organisation: Path = shared_field("ORGANISATION", "folder with one folder per authority")  # type: ignore[assignment]
    clock_file: Path | None = shared_field("CLOCK_FILE", "a clock shared with other processes (tests, demo)", None)  # type: ignore[assignment]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = shared_field("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO")  # type: ignore[assignment]
    instance: str = shared_field("INSTANCE", "name of this replica, unique and stable (a StatefulSet's ordinal)", "0")  # type: ignore[assignment]
    otlp: WebAddress | None = shared_field(
        "OTLP", "address of an OpenTelemetry collector (OTLP over HTTP); none: no traces", None
    )  # type: ignore[assignment]
    site_url: WebAddress | None = shared_field("SITE_URL", "public address of intake's pages; default: the authority's own", None)  # type: ignore[assignment]
    agents_url: WebAddress = shared_field("AGENTS_URL", "address of the agents' pages (router)", "http://127.0.0.1:8002")  # type: ignore[assignment]
    keys: Keys | None = shared_field(
        "KEYS", "key-encryption keys NUMBER:BASE64[,...], 32 bytes each (openssl rand -base64 32)", None
    )  # type: ignore[assignment]
    link_key: LinkKey | None = shared_field("LINK_KEY", "secret of the agents' signed links, base64, 32 bytes", None)  # type: ignore[assignment]

    database: DatabaseAddress = Field(
        description="the service's own address: postgresql://aiguilleur_<service>:password@host/name"
    )
    host: str = Field("127.0.0.1", description="address that the HTTP server listens on")
    port: Port = Field(description="port of the HTTP server: pages, API, /live /ready /metrics")
    parked_limit: int = Field(100, gt=0, description="records of our own services parked within a minute that stop the consumer")


def read_settings(cls: type[T]) -> T:
    """Read the settings from the environment; a fault stops the start with the names of the variables."""
    try:
        return cls()
    except ValidationError as error:
        lines = [f"  {describe_fault(cls, str(fault['loc'][0]), fault['msg'])}" for fault in error.errors()]
        stop("settings that are missing or wrong (see --help):\n" + "\n".join(lines))


def describe_fault(cls: type[ServiceSettings], place: str, message: str) -> str:
    """Return the variable and what is allowed, never what it held: that may be a password."""
    variable = variable_of(cls, place)
    for name, field in cls.model_fields.items():
        if message == "Field required" and variable_of(cls, name) == variable:
            return f"{variable}: missing: {field.description}"
    return f"{variable}: {message.removeprefix('Value error, ')}"


def variable_of(cls: type[ServiceSettings], place: str) -> str:
    """Return the environment variable behind a field, given the field's name or its alias."""
    field = cls.model_fields.get(place)
    if field is None:
        return place.upper()
    if isinstance(field.validation_alias, AliasChoices):
        return str(field.validation_alias.choices[0])
    return f"{cls.model_config.get('env_prefix', '')}{place}".upper()


def describe_settings(cls: type[ServiceSettings]) -> str:
    """Return one line per setting: variable, default, meaning."""
    lines = []
    for name, field in cls.model_fields.items():
        default = "required" if field.is_required() else f"default {field.default}"
        lines.append(f"  {variable_of(cls, name):32} {field.description} ({default})")
    return "\n".join(lines)


def stop(message: str) -> NoReturn:
    """End the process before it began, with a message for who started it."""
    sys.stderr.write(message + "\n")
    raise SystemExit(2)
