"""The notifier's settings."""

from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, shared_field

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailServer(NamedTuple):
    """Where mail is handed over. `security`: none, STARTTLS (required), or TLS from the first byte."""

    host: str
    port: int
    security: Literal["smtp", "smtp+starttls", "smtps"]
    user: str | None
    password: str | None


class NotifierSettings(ServiceSettings):
    """Settings of the notifier: AIGUILLEUR_NOTIFIER_..."""

    model_config = SettingsConfigDict(env_prefix="AIGUILLEUR_NOTIFIER_", extra="ignore", frozen=True, populate_by_name=True)

    keys: SecretStr = shared_field("KEYS", "key-encryption keys NUMBER:BASE64[,...], 32 bytes each (openssl rand -base64 32)")  # type: ignore[assignment]
    link_key: SecretStr = shared_field("LINK_KEY", "secret of the agents' signed links, base64, 32 bytes")  # type: ignore[assignment]
    smtp: SecretStr = shared_field(
        "SMTP", "mail server: smtp://host:25, smtp+starttls://user:password@host:587 or smtps://host:465"
    )  # type: ignore[assignment]
    port: int = Field(8004, description="port of the HTTP server: /live /ready /metrics")
    connections: int = Field(4, ge=1, le=32, description="connections kept to the mail server")
    sender: str | None = Field(
        None, description="address that mails come from, {authority} stands for the code; default: the authority's own"
    )
    bounces: str | None = Field(None, description="address that undeliverable mails go back to; default: the sender")

    @field_validator("smtp")
    @classmethod
    def _is_server(cls, value: SecretStr) -> SecretStr:
        parse_server(value.get_secret_value())
        return value


def parse_server(address: str) -> MailServer:
    """Return the parts of a mail server's address. Raises ValueError, whose text never holds a password."""
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError("expected smtp://host:port, smtp+starttls://user:password@host:port or smtps://host:port")
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return MailServer(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme, user, password)  # type: ignore[arg-type]  # looked up above
