"""Wrong settings stop the start: with the variable's name, with what is allowed, and without what was given."""

import base64
from collections.abc import Callable

import pytest

from services.notifier.settings import NotifierSettings
from shared.events.topics import SERVICES
from shared.settings import ServiceSettings, read_settings
from tests.architecture.settings import settings_of

KEY = base64.b64encode(bytes(range(32))).decode()
PASSWORD = "s3cret"
Told = Callable[..., None]


def right(service: str) -> dict[str, str]:
    """An environment that every service starts with."""
    return {
        "AIGUILLEUR_KAFKA": "kafka-1.ville.example:9092,kafka-2.ville.example:9092",
        "AIGUILLEUR_ORGANISATION": "deploy/organisation",
        "AIGUILLEUR_KEYS": f"1:{KEY}",
        "AIGUILLEUR_LINK_KEY": KEY,
        "AIGUILLEUR_SMTP": "smtp+starttls://u:p@mail.ville.example:587",
        f"AIGUILLEUR_{service.upper()}_DATABASE": f"postgresql://aiguilleur_{service}:{PASSWORD}@db/aiguilleur",
    }


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Told:
    def tell(service: str, **changes: str | None) -> None:
        for name, value in (right(service) | changes).items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return tell


def refusal(cls: type[ServiceSettings], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        read_settings(cls)
    assert stopped.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("service", SERVICES)
def test_right_settings_are_read(service: str, tell: Told) -> None:
    tell(service)
    assert read_settings(settings_of(service)).database.get_secret_value().endswith("@db/aiguilleur")


DATABASE, KAFKA, WEB = "postgresql://user:password@host[:port]/database", "host:port[,host:port]", "expected http://host[:port]"
WRONG = [
    ("AIGUILLEUR_LOG_LEVEL", "VERBOSE", "'WARNING'"),
    ("AIGUILLEUR_LOG_LEVEL", "info", "'INFO'"),
    *(("AIGUILLEUR_NOTIFIER_PORT", port, "1 to 65535") for port in ("0", "-1", "65536")),
    ("AIGUILLEUR_NOTIFIER_PORT", "http", "valid integer"),
    *(
        ("AIGUILLEUR_NOTIFIER_DATABASE", address, DATABASE)
        for address in (
            "", "db", f"mysql://u:{PASSWORD}@db/name", "postgresql://db/name", "postgresql://u@db/name", f"postgresql://:{PASSWORD}@db/name",
            f"postgresql://u:{PASSWORD}@/name", f"postgresql://u:{PASSWORD}@db", f"postgresql://u:{PASSWORD}@db/",
            f"postgresql://u:{PASSWORD}@db:0/name", f"postgresql://u:{PASSWORD}@db:99999/name", f"postgresql://u:{PASSWORD}/x@db/name",
            f"postgresql://u:{PASSWORD}#x@db/name", f"postgresql://u:{PASSWORD}@[db/name", f"postgresql://u:{PASSWORD} @db/name",
        )
    ),
    *(
        ("AIGUILLEUR_KAFKA", address, KAFKA)
        for address in ("", "kafka", "kafka:", ":9092", "kafka:0", "kafka:70000", "http://kafka:9092", "a:1,", "a:1, b:1")
    ),
    *(
        (variable, address, WEB)
        for variable in ("AIGUILLEUR_SITE_URL", "AIGUILLEUR_AGENTS_URL", "AIGUILLEUR_OTLP")
        for address in (
            "", "javascript:alert(1)", "ftp://ville.example", "ville.example", "//ville.example", "http://", "https:///x",
            "https://u:p@ville.example", "https://ville.example/../x", "https://ville.example//x", "https://ville.example/%2e%2e",
            "https://ville.example/?a=b", "https://ville.example/#x", "https://ville.example\\x", "https://ville.example\nx",
            "https://ville.example:0", "https://ville.example:x", "https://ville example",
        )
    ),
    ("AIGUILLEUR_KEYS", "", "NUMBER:BASE64"),
    ("AIGUILLEUR_KEYS", KEY, "NUMBER:BASE64"),
    ("AIGUILLEUR_KEYS", "1:c2hvcnQ=", "32 bytes each"),
    ("AIGUILLEUR_KEYS", f"0:{KEY}", "numbered 1 to 255"),
    ("AIGUILLEUR_KEYS", f"1:{KEY},1:{KEY}", "each number once"),
    ("AIGUILLEUR_LINK_KEY", "not base64!", "base64"),
    ("AIGUILLEUR_LINK_KEY", "c2hvcnQ=", "32 bytes"),
    *(
        ("AIGUILLEUR_SMTP", address, "expected smtp://host:port")
        for address in (
            "", "mail.ville.example:25", "http://mail", "smtp://", "smtp://mail:0", "smtp://mail:x", f"smtp://u:{PASSWORD}/x@mail",
            "smtp://mail/box", "smtp://mail?x=y", "smtp://u@mail", f"smtps://u:{PASSWORD}@mail:465:465",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "value", "allowed"), WRONG)
def test_a_wrong_setting_stops_the_start(
    variable: str, value: str, allowed: str, tell: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    tell("notifier", **{variable: value})
    told = refusal(NotifierSettings, capsys)
    (line,) = told.splitlines()[1:]
    assert line.startswith(f"  {variable}: ")
    assert allowed in line
    assert PASSWORD not in told and KEY not in told


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("intake", "AIGUILLEUR_KEYS"),
        ("router", "AIGUILLEUR_KEYS"),
        ("router", "AIGUILLEUR_LINK_KEY"),
        ("notifier", "AIGUILLEUR_KEYS"),
        ("notifier", "AIGUILLEUR_LINK_KEY"),
        ("notifier", "AIGUILLEUR_SMTP"),
        *((service, "AIGUILLEUR_KAFKA") for service in SERVICES),
        *((service, f"AIGUILLEUR_{service.upper()}_DATABASE") for service in SERVICES),
    ],
)
def test_a_missing_setting_stops_the_start(service: str, variable: str, tell: Told, capsys: pytest.CaptureFixture[str]) -> None:
    tell(service, **{variable: None})
    (line,) = refusal(settings_of(service), capsys).splitlines()[1:]
    assert line.startswith(f"  {variable}: missing: ")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AIGUILLEUR_NOTIFIER_DATABASE", "postgresql://u:p%40ss@[::1]:5432/name?sslmode=require"),
        ("AIGUILLEUR_NOTIFIER_DATABASE", "postgresql://u:p@db-1:5432,db-2:5432/name"),
        ("AIGUILLEUR_KAFKA", "127.0.0.1:9092"),
        ("AIGUILLEUR_KAFKA", "[::1]:9092"),
        ("AIGUILLEUR_SITE_URL", "https://demandes.ville.example/"),
        ("AIGUILLEUR_AGENTS_URL", "http://127.0.0.1:8002/agents"),
        ("AIGUILLEUR_SMTP", "smtps://agent%40ville.example:p%2Fss@mail.ville.example"),
        ("AIGUILLEUR_KEYS", f"2:{KEY}, 1:{KEY}"),
        ("AIGUILLEUR_NOTIFIER_PORT", "65535"),
    ],
)
def test_other_right_forms_are_taken(variable: str, value: str, tell: Told) -> None:
    tell("notifier", **{variable: value})
    read_settings(NotifierSettings)
