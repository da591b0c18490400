"""The notifier's settings."""

from typing import Literal, NamedTuple
from urllib.parse import unquote

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.setting_types import Keys, LinkKey, Port, is_place, read_url
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

    keys: Keys = shared_field("KEYS", "key-encryption keys NUMBER:BASE64[,...], 32 bytes each (openssl rand -base64 32)")  # type: ignore[assignment]
    link_key: LinkKey = shared_field("LINK_KEY", "secret of the agents' signed links, base64, 32 bytes")  # type: ignore[assignment]
    smtp: SecretStr = shared_field(
        "SMTP", "mail server: smtp://host:25, smtp+starttls://user:password@host:587 or smtps://host:465"
    )  # type: ignore[assignment]
    port: Port = Field(8004, description="port of the HTTP server: /live /ready /metrics")
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
    expected = "expected smtp://host:port, smtp+starttls://user:password@host:port or smtps://host:port"
    parts = read_url(address, expected)
    user_info, _, place = parts.netloc.rpartition("@")
    if parts.scheme not in _PORTS or not is_place(place) or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(expected)
    if user_info and not (parts.username and parts.password):
        raise ValueError(f"{expected}; a user comes with a password")
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return MailServer(parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme, user, password)  # type: ignore[arg-type]  # looked up above
