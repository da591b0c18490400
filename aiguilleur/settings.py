"""What the commands are told by the environment. Only what a command needs must be set."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from aiguilleur.terminal import CommandError
from shared.events.topics import SERVICES


class CommandSettings(BaseSettings):
    """The addresses that commands work with, under the same names as the services' settings."""

    model_config = SettingsConfigDict(env_prefix="AIGUILLEUR_", extra="ignore", frozen=True)

    kafka: str | None = Field(None, description="Kafka's address: host:port[,host:port]")
    organisation: Path = Field(Path("deploy/organisation"), description="folder with one folder per authority")
    admin_database: SecretStr | None = Field(None, description="postgresql://... of a role that may create schemas and roles")
    intake_database: SecretStr | None = None
    router_database: SecretStr | None = None
    sla_database: SecretStr | None = None
    notifier_database: SecretStr | None = None
    stats_database: SecretStr | None = None

    def kafka_address(self) -> str:
        """Return Kafka's address. Raises CommandError when it is not set."""
        if not self.kafka:
            raise CommandError("AIGUILLEUR_KAFKA is not set", hint="give Kafka's address: AIGUILLEUR_KAFKA=host:9092")
        return self.kafka

    def admin_dsn(self) -> str:
        """Return the administrator's database address. Raises CommandError when it is not set."""
        if self.admin_database is None:
            raise CommandError(
                "AIGUILLEUR_ADMIN_DATABASE is not set",
                hint="give the address of a role that may create schemas and roles: postgresql://admin:password@host/name",
            )
        return self.admin_database.get_secret_value()

    def service_dsn(self, service: str) -> str:
        """Return the database address of a service. Raises CommandError when it is not set."""
        told: SecretStr | None = getattr(self, f"{service}_database")
        if told is None:
            name = f"AIGUILLEUR_{service.upper()}_DATABASE"
            raise CommandError(f"{name} is not set", hint=f"postgresql://aiguilleur_{service}:password@host/name")
        return told.get_secret_value()

    def service_dsns(self) -> dict[str, str]:
        """Return the database address of every service. Raises CommandError."""
        return {service: self.service_dsn(service) for service in SERVICES}
