"""A town whose services reach each server, and people each service, through a link of its own that can be cut by itself."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deploy.local.town import Town, service_of
from shared.clock import FileClock
from shared.events.topics import REQUESTS, SERVICES, consumed_by

VISITED: Final = ("intake", "router")
"""The services whose pages and API people use."""
PUBLISHERS: Final = ("intake", "router", "notifier")
"""Who has something to publish all the time; the sla only when something is late."""
READERS: Final = tuple(one for one in SERVICES if REQUESTS in consumed_by(one))
"""Who reads the topic that forged records are written to."""
_LINKED: Final[Mapping[str, tuple[str, ...]]] = {
    "kafka": SERVICES,
    "postgres": SERVICES,
    "smtp": ("notifier",),
    "clients": VISITED,
}
"""Who is at the one end of a link, and which services are at the other."""
ENDS: Final = tuple(_LINKED)


def links_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return every way from these services, or processes, to a server, and from people to them, by name."""
    return tuple(f"{end}.{name}" for end, services in _LINKED.items() for name in names if service_of(name) in services)


def meet(one: str, other: str) -> bool:
    """Whether two names of services, or of processes, have a process in common."""
    return one == other or service_of(one) == other or one == service_of(other)


LINKS: Final = links_of(SERVICES)


class ChaosTown(Town):
    """`detours`: the address of each link. Every process has a clock file of its own, and a folder of points to die at.

    The ways from people to processes are known once the ports of these are: until then, and without one, they come straight.
    """

    def __init__(
        self, folder: Path, *, kafka: str, admin_dsn: str, smtp: str, detours: dict[str, str], copies: Mapping[str, int]
    ) -> None:
        super().__init__(folder, kafka=kafka, admin_dsn=admin_dsn, smtp=smtp, shared_clock=True, copies=copies)
        self.detours = detours
        for name in self.names():
            self._points(name).mkdir(parents=True)
        self.extra = {"AIGUILLEUR_INTAKE_API_CALLS_A_MINUTE": "0", "AIGUILLEUR_INTAKE_FORMS_A_MINUTE": "0"}

    def url(self, service: str) -> str:
        """Where people come to a service, or to one process."""
        name = self.names(service)[0]
        return f"http://{door}" if (door := self.detours.get(f"clients.{name}")) else self.own_url(name)

    def own_url(self, name: str) -> str:
        """Where a process itself listens: for who looks after it."""
        return super().url(name)

    def environment(self, name: str) -> dict[str, str]:
        """What a process is told: its own way to each server."""
        service = service_of(name)
        database = urlsplit(self.dsn(service))
        place = f"{database.netloc.rpartition('@')[0]}@{self.detours[f'postgres.{name}']}"
        told = {
            "AIGUILLEUR_KAFKA": self.detours[f"kafka.{name}"],
            f"AIGUILLEUR_{service.upper()}_DATABASE": database._replace(netloc=place).geturl(),
            "AIGUILLEUR_CLOCK_FILE": str(self._clock_of(name)),
            "AIGUILLEUR_POINTS": str(self._points(name)),
        }
        if service == "notifier":
            told["AIGUILLEUR_SMTP"] = f"smtp://{self.detours[f'smtp.{name}']}"
        return super().environment(name) | told

    def command_environment(self) -> dict[str, str]:
        """What the command line is told: it dies nowhere."""
        return {name: value for name, value in super().command_environment().items() if name != "AIGUILLEUR_POINTS"}

    def set_clock(self, shown: datetime, *, speed: float) -> None:
        """Move the clocks of all services, together."""
        super().set_clock(shown, speed=speed)
        for name in self.names():
            FileClock.write(self._clock_of(name), shown=shown, speed=speed)

    def skew(self, name: str, by: timedelta) -> None:
        """Put the clock of one process off from the others', until the next `set_clock`."""
        FileClock.write(self._clock_of(name), shown=self.now() + by, speed=1.0)

    def arm(self, service: str, point: str) -> list[Path]:
        """Have whichever process of a service comes by a point die there; return the files of which one is gone then."""
        armed = [self._points(name) / point for name in self.names(service)]
        for one in armed:
            one.touch()
        return armed

    def links(self, link: str) -> list[str]:
        """Return a link by its name; of a service with several processes, those of all of them."""
        server, _, whose = link.partition(".")
        return [f"{server}.{name}" for name in self.names(whose)]

    def disarm(self) -> None:
        """Take back what was not reached."""
        for name in self.names():
            for armed in self._points(name).iterdir():
                armed.unlink(missing_ok=True)

    def _points(self, name: str) -> Path:
        return self.folder / "points" / name

    def _clock_of(self, name: str) -> Path:
        return self.folder / f"clock.{name}.json"
