"""The settings of the statistics."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.setting_types import Port
from shared.settings import ServiceSettings


class StatsSettings(ServiceSettings):
    """Settings of the statistics: AIGUILLEUR_STATS_..."""

    model_config = SettingsConfigDict(env_prefix="AIGUILLEUR_STATS_", extra="ignore", frozen=True, populate_by_name=True)

    port: Port = Field(8005, description="port of the HTTP server: the statistics page and API, /live /ready /metrics")
