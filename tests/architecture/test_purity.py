"""What decides is pure: the domain of every service, the core of the shell, working time, the events."""

import pytest

from shared.events.topics import SERVICES
from tests.architecture.purity import impurities
from tests.architecture.tree import Module, modules, parse

_PURE_CORE = {f"shared/delivery/{name}.py" for name in ("core", "run", "service", "values")}
_NOT_EVENTS = {f"shared/events/{name}.py" for name in ("asyncapi", "broker", "contracts")}
"""They make things of the declarations: topics on a broker, files."""


def pure_modules() -> list[Module]:
    return [
        module
        for module in modules("services", "shared")
        if "/domain/" in module.path
        or module.path in _PURE_CORE
        or module.path.startswith("shared/working_time/")
        or (module.path.startswith("shared/events/") and module.path not in _NOT_EVENTS)
    ]


def test_nothing_pure_touches_the_world() -> None:
    found = [line for module in pure_modules() for line in impurities(module)]
    assert not found, "\n".join(found)


def test_every_service_has_a_pure_step() -> None:
    for service in SERVICES:
        domain = [module for module in pure_modules() if module.path.startswith(f"services/{service}/domain/")]
        defined = {function.name for module in domain for function in module.functions()}
        assert {"decide", "evolve"} <= defined, f"services/{service}/domain has no step"


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\nat = datetime.now()",
        "import datetime\nat = datetime.datetime.utcnow()",
        "from datetime import date\nday = date.today()",
        "import time",
        "from uuid import uuid4",
        "import uuid\nid = uuid.uuid4()",
        "import random",
        "import os.path",
        "from secrets import token_hex",
        "from shared.log import get_log",
        "from shared import metrics",
        "text = open('a').read()",
        "print('a')",
        "async def decide(): pass",
    ],
)
def test_what_is_impure_is_seen(text: str) -> None:
    assert list(impurities(parse("services/x/domain/step.py", text)))


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime, timedelta",
        "after = context.now + timedelta(days=1)",
        "from uuid import UUID",
        "key.open(sealed)",
    ],
)
def test_what_is_pure_is_left_alone(text: str) -> None:
    assert not list(impurities(parse("services/x/domain/step.py", text)))
