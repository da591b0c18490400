"""Intake's settings."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.setting_types import EscrowPublicKey, Keys, Port
from shared.settings import ServiceSettings, shared_field


class IntakeSettings(ServiceSettings):
    """Settings of intake: AIGUILLEUR_INTAKE_..."""

    model_config = SettingsConfigDict(env_prefix="AIGUILLEUR_INTAKE_", extra="ignore", frozen=True, populate_by_name=True)

    keys: Keys = shared_field("KEYS", "key-encryption keys NUMBER:BASE64[,...], 32 bytes each (openssl rand -base64 32)")  # type: ignore[assignment]
    escrow_public_key: EscrowPublicKey | None = shared_field(
        "ESCROW_PUBLIC_KEY", "public key from `aiguilleur keys escrow-new`; none: no key is kept in escrow", None
    )  # type: ignore[assignment]
    port: Port = Field(8001, description="port of the HTTP server: public site, API, /live /ready /metrics")
    largest_body_bytes: int = Field(300_000, ge=100_000, description="larger bodies are refused with 413")
    forms_a_minute: int = Field(600, ge=0, description="forms taken from one address in a minute; 0: no limit")
    api_calls_a_minute: int = Field(
        60_000, ge=0, description="requests taken by the API from one address in a minute; 0: no limit"
    )
