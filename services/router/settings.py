"""The router's settings."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.setting_types import Keys, LinkKey, Port
from shared.settings import ServiceSettings, shared_field


class RouterSettings(ServiceSettings):
    """Settings of the router: AIGUILLEUR_ROUTER_..."""

    model_config = SettingsConfigDict(env_prefix="AIGUILLEUR_ROUTER_", extra="ignore", frozen=True, populate_by_name=True)

    keys: Keys = shared_field("KEYS", "key-encryption keys NUMBER:BASE64[,...], 32 bytes each (openssl rand -base64 32)")  # type: ignore[assignment]
    link_key: LinkKey = shared_field(
        "LINK_KEY", "secret of the agents' signed links, base64, 32 bytes; the same as the notifier's"
    )  # type: ignore[assignment]
    port: Port = Field(8002, description="port of the HTTP server: the agents' pages, /live /ready /metrics")
