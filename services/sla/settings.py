"""The sla's settings."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.setting_types import Port
from shared.settings import ServiceSettings


class SlaSettings(ServiceSettings):
    """Settings of the sla: AIGUILLEUR_SLA_..."""

    model_config = SettingsConfigDict(env_prefix="AIGUILLEUR_SLA_", extra="ignore", frozen=True, populate_by_name=True)

    port: Port = Field(8003, description="port of the HTTP server: explanation of a deadline, /live /ready /metrics")
