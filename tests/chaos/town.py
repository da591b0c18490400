"""A town whose services reach each server through a link of their own, so that it can be cut for one of them alone."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deploy.local.town import Town
from shared.clock import FileClock
from shared.events.topics import SERVICES

SERVERS: Final = ("kafka", "postgres", "smtp")
LINKS: Final = (*(f"{server}.{service}" for server in ("kafka", "postgres") for service in SERVICES), "smtp.notifier")
"""Every way from a service to a server, by name."""


class ChaosTown(Town):
    """`detours`: the address of each link. Every service has a clock file of its own, and a folder of points to die at."""

    def __init__(self, folder: Path, *, kafka: str, admin_dsn: str, smtp: str, detours: dict[str, str]) -> None:
        super().__init__(folder, kafka=kafka, admin_dsn=admin_dsn, smtp=smtp, shared_clock=True)
        self._detours = detours
        for service in SERVICES:
            self._points(service).mkdir(parents=True)
        self.extra = {"AIGUILLEUR_INTAKE_API_CALLS_A_MINUTE": "0", "AIGUILLEUR_INTAKE_FORMS_A_MINUTE": "0"}

    def environment(self, service: str) -> dict[str, str]:
        """What a service is told: its own way to each server."""
        database = urlsplit(self.dsn(service))
        place = f"{database.netloc.rpartition('@')[0]}@{self._detours[f'postgres.{service}']}"
        told = {
            "AIGUILLEUR_KAFKA": self._detours[f"kafka.{service}"],
            f"AIGUILLEUR_{service.upper()}_DATABASE": database._replace(netloc=place).geturl(),
            "AIGUILLEUR_CLOCK_FILE": str(self._clock_of(service)),
            "AIGUILLEUR_POINTS": str(self._points(service)),
        }
        if service == "notifier":
            told["AIGUILLEUR_SMTP"] = f"smtp://{self._detours['smtp.notifier']}"
        return super().environment(service) | told

    def command_environment(self) -> dict[str, str]:
        """What the command line is told: it dies nowhere."""
        return {name: value for name, value in super().command_environment().items() if name != "AIGUILLEUR_POINTS"}

    def set_clock(self, shown: datetime, *, speed: float) -> None:
        """Move the clocks of all services, together."""
        super().set_clock(shown, speed=speed)
        for service in SERVICES:
            FileClock.write(self._clock_of(service), shown=shown, speed=speed)

    def skew(self, service: str, by: timedelta) -> None:
        """Put the clock of one service off from the others', until the next `set_clock`."""
        FileClock.write(self._clock_of(service), shown=self.now() + by, speed=1.0)

    def arm(self, service: str, point: str) -> Path:
        """Have a service die when it comes by a point; return the file that is gone then."""
        armed = self._points(service) / point
        armed.touch()
        return armed

    def disarm(self) -> None:
        """Take back what was not reached."""
        for service in SERVICES:
            for armed in self._points(service).iterdir():
                armed.unlink(missing_ok=True)

    def _points(self, service: str) -> Path:
        return self.folder / "points" / service

    def _clock_of(self, service: str) -> Path:
        return self.folder / f"clock.{service}.json"
