"""The router's settings."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class RouterSettings(ServiceSettings):
    """Settings of the router: AIGUILLEUR_ROUTER_..."""

    model_config = SettingsConfigDict(env_prefix="AIGUILLEUR_ROUTER_", extra="ignore", frozen=True, populate_by_name=True)

    port: int = Field(8002, description="port of the HTTP server: the agents' pages, /live /ready /metrics")
