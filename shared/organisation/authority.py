"""An authority, ready to be asked. Everything is looked up by code; nothing here changes after loading."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from shared.events.escalations import Told
from shared.events.requests import Channel
from shared.organisation.authority_file import AuthorityFile, Manager
from shared.organisation.calendar_rule import CalendarsFile
from shared.organisation.category import CategoriesFile, Category
from shared.organisation.charter import CharterFile, PromiseRule, UnownedRule
from shared.organisation.escalation import EscalationsFile, Ladder
from shared.organisation.fault import hint
from shared.organisation.service import Service, ServicesFile
from shared.working_time import WorkingTime


class UnknownCode(LookupError):
    """Nothing has that code. A fault of the caller: codes from outside go through `find_service`, `find_category`."""


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


C = TypeVar("C", bound=_Coded)
T = TypeVar("T")


class Authority:
    """One authority's configuration, after all checks have passed (see `load`).

    `settings` holds authority.yaml: name, languages, brand, legal... Methods raise UnknownCode for a code that is
    not there.
    """

    def __init__(
        self,
        *,
        settings: AuthorityFile,
        services: ServicesFile,
        categories: CategoriesFile,
        calendars: CalendarsFile,
        charter: CharterFile,
        escalations: EscalationsFile,
    ) -> None:
        self.settings: Final = settings
        self.charter: Final = charter
        self.files: Final = (settings, services, categories, calendars, charter, escalations)
        self.code: Final = settings.code
        self.name: Final = settings.name
        self.timezone: Final = ZoneInfo(settings.timezone)
        self.languages: Final[tuple[str, ...]] = settings.languages
        self.postal_address: Final = settings.postal_address
        self.phone: Final = settings.phone
        self.email: Final = settings.email
        self.public_url: Final = settings.public_url
        self.brand: Final = settings.brand
        self.legal: Final = settings.legal
        self.general_management: Final = settings.general_management
        self.services: Final = _by_code(services.services)
        self.categories: Final = _by_code(categories.categories)
        self.ladders: Final = _by_code(escalations.ladders)
        self.calendars: Final[Mapping[str, WorkingTime]] = MappingProxyType(
            {rule.code: WorkingTime(rule.calendar(settings.timezone)) for rule in calendars.calendars}
        )

    def service(self, code: str) -> Service:
        """The service of that code."""
        return _look_up(self.services, code, noun="service", authority=self.code)

    def find_service(self, code: str | None) -> Service | None:
        """As `service`, for a code from outside: None when there is no such service, or no code."""
        return self.services.get(code) if code is not None else None

    def category(self, code: str) -> Category:
        """The category of that code."""
        return _look_up(self.categories, code, noun="category", authority=self.code)

    def find_category(self, code: str | None) -> Category | None:
        """As `category`, for a code from outside."""
        return self.categories.get(code) if code is not None else None

    def categories_of(self, service: str) -> tuple[Category, ...]:
        """The categories that a form for this service offers, in the order of the file."""
        return tuple(category for category in self.categories.values() if service in category.services)

    @property
    def front_desk_service(self) -> Service:
        """The service that takes what nobody else takes; never closed."""
        return self.service(self.settings.front_desk)

    def services_public(self) -> tuple[Service, ...]:
        """All services as a public list shows them: departments, then the elected, by `order`, then as written."""
        return tuple(sorted(self.services.values(), key=lambda service: (service.kind == "elected", service.order)))

    def calendar_of(self, service: str) -> WorkingTime:
        """Working time of that service; the same object at each call."""
        return self.calendars[self.service(service).calendar]

    def is_open(self, service: str, at: datetime) -> bool:
        """Whether no closure covers that local day. Says nothing of the hour: see `calendar_of`."""
        asked = self.service(service)
        return asked.closed is None or not asked.closed_on(at.astimezone(self.timezone).date())

    def owner_to_be(self, asked: str | None, at: datetime) -> Service:
        """The service that will own what is asked on that day: the one chosen, if it exists and is open, else the front desk.

        Intake announces the delay in its working time, the receipt names it and the router assigns it: one rule for all three.
        """
        chosen = self.find_service(asked)
        return chosen if chosen is not None and self.is_open(chosen.code, at) else self.front_desk_service

    def promise_for(self, channel: Channel, service: str, category: str | None) -> PromiseRule:
        """The first promise of the charter that fits. `service` is the one that will own the request."""
        self.service(service)
        # A category that the service does not have may fit nothing: then what holds without one holds.
        for wanted in (category, None):
            for rule in self.charter.promises:
                if rule.fits(channel=channel, service=service, category=wanted):
                    return rule
        raise AssertionError(f"the charter of {self.code} promises nothing to {channel}, {service}: load() checks that")

    @property
    def unowned(self) -> UnownedRule:
        """How long a request may be without owner; counts in the front desk's calendar."""
        return self.charter.unowned

    def ladder(self, code: str) -> Ladder:
        """The escalation ladder of that code."""
        return _look_up(self.ladders, code, noun="ladder", authority=self.code)

    def cover_of(self, service: str, at: datetime) -> Service | None:
        """The first service down the chain of covers that is open on that day."""
        following = self.service(service).cover
        while following is not None and not self.is_open(following, at):
            following = self.service(following).cover
        return self.service(following) if following is not None else None

    def mailbox(self, service: str) -> str:
        """Where the agents of that service read their mail."""
        return self.service(service).mailbox

    def recipient(self, service: str, tell: Told, *, at: datetime | None = None) -> str:
        """The mailbox that an escalation tells. What a service lacks falls upward: cover, head, general management.

        With `at`, a cover that is closed on that day is passed over for its own cover.
        """
        owner = self.service(service)
        if tell == "service":
            return owner.mailbox
        if tell == "cover":
            cover = self.cover_of(service, at) if at else self.find_service(owner.cover)
            if cover is not None:
                return cover.mailbox
        if tell != "general_management" and owner.head_of_service is not None:
            return owner.head_of_service.mailbox
        return self.general_management.mailbox

    def manager(self, service: str, tell: Told) -> Manager | None:
        """The person behind `recipient`, when it is a person: to greet them by name."""
        if tell == "general_management":
            return self.general_management
        return self.service(service).head_of_service or self.general_management if tell == "head_of_service" else None


def _by_code(items: Iterable[C]) -> Mapping[str, C]:
    return MappingProxyType({item.code: item for item in items})


def _look_up(items: Mapping[str, T], code: str, *, noun: str, authority: str) -> T:
    try:
        return items[code]
    except KeyError:
        allowed = ", ".join(items)
        raise UnknownCode(f"{authority} has no {noun} {code!r}{hint(code, items)}; allowed: {allowed}") from None
