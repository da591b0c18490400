"""Every route of every service, asked by every method, with what exists and with what does not: who changes something?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import asyncpg
import httpx
from starlette.routing import Route

from shared.actions.link import LinkAction
from shared.events.topics import SERVICES
from tests.fuzz.installation import NOON, Installation, mint

LOOKING: Final = ("GET", "HEAD", "OPTIONS")
ACTIONS: Final[tuple[LinkAction, ...]] = ("view", "take_charge", "ask", "answer", "transfer", "resolve")
OTHERS: Final = ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
"""Methods that no route has."""


@dataclass
class Walked:
    """What came of a walk over all routes. `routes`: by service."""

    routes: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    faults: list[str] = field(default_factory=list)


async def walk(installation: Installation) -> Walked:
    """Ask every route by every method that must change nothing, and compare all tables before and after."""
    walked, before = Walked(), await everything(installation)
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        for service, app in installation.apps.items():
            routes = [route for route in app.http.routes if isinstance(route, Route)]
            walked.routes[service] = len(routes)
            for path in {route.path for route in routes}:
                known = {method for route in routes if route.path == path for method in route.methods or ()}
                for address in addresses_of(path, installation):
                    await _ask(http, walked, installation.url(service), address, known)
    after = await everything(installation)
    walked.faults += [f"{table} was changed by looking" for table in before if before[table] != after[table]]
    return walked


async def _ask(http: httpx.AsyncClient, walked: Walked, url: str, address: str, known: set[str]) -> None:
    for method in (*LOOKING, *OTHERS, *(() if "POST" in known else ("POST",))):
        answer = await http.request(method, url + address)
        walked.asked += 1
        told = f"{method} {address[:80]}: {answer.status_code}"
        if answer.status_code >= 500:
            walked.faults.append(told)
        elif method not in known and method != "OPTIONS" and answer.status_code not in (404, 405):
            walked.faults.append(f"{told}, wanted 405 or 404")
        cookies = [name for name in answer.cookies if name != "lang"]
        if cookies:
            walked.faults.append(f"{told} sets {cookies}: a page that knows its reader by a cookie can be forged")


def addresses_of(path: str, installation: Installation) -> Iterator[str]:
    """Yield a route's addresses: with things that exist, by each token that may open them, and with things that do not."""
    values = {"authority": ["rivemont", "saint-aubrin"], "service": ["voirie"], "request_id": [str(installation.request_id)]}
    values["token"] = list(_links(installation)) if path.startswith("/a/") else [installation.tracking_token]
    found = [path]
    for name, some in values.items():
        if f"{{{name}}}" in path:
            found = [one.replace(f"{{{name}}}", value) for one in found for value in (*some, "x")]
    yield from found


def _links(installation: Installation) -> Iterator[str]:
    for action in ACTIONS:
        yield mint(installation.request_id, action)
    yield mint(installation.request_id, "answer", version=1)
    yield mint(installation.request_id, "answer", authority="saint-aubrin")
    yield mint(installation.request_id, "answer", agent="proprete@rivemont.example")
    yield mint(installation.request_id, "answer", expires_at=NOON - timedelta(seconds=1))


async def everything(installation: Installation) -> dict[str, str]:
    """A digest of each table of ours."""
    admin = await asyncpg.connect(installation.admin_dsn)
    try:
        tables = await admin.fetch(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = ANY($1::text[])",
            [*SERVICES, "vault"],
        )
        sql = "SELECT coalesce(md5(string_agg(row::text, ',' ORDER BY row::text)), '') FROM {}.{} AS row"
        return {f"{schema}.{name}": await admin.fetchval(sql.format(schema, name)) for schema, name in tables}
    finally:
        await admin.close()
