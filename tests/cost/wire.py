"""What work costs on the wire to PostgreSQL: round trips and statements, and bytes kept per request. Counted, not timed.

The two counts are equal everywhere today. A statement that waits for nobody, or a plan that is made each time, would part them.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.town import ORGANISATION
from services.intake.submission import Acceptance
from shared.clock import SystemClock
from shared.events.inbound import Submission
from shared.organisation import OrganisationSource
from shared.vault.seal import Vault
from tests.cost.bench import Bench
from tests.cost.loops import fired, mailed, published
from tests.cost.records import SUBMISSION
from tests.figures.counting_proxy import CountingProxy
from tests.notifier.conftest import KEYS

SIZES = (1, 100)


async def _submitted(bench: Bench, count: int) -> dict[str, int]:
    app = bench.apps["intake"]
    acceptance = Acceptance(organisation=OrganisationSource(ORGANISATION), clock=SystemClock(), vault=Vault.from_text(KEYS))
    inputs = [acceptance.input_for(Submission.model_validate_json(SUBMISSION)) for _ in range(count)]
    return await bench.cost("intake", f"{count} submitted", lambda: app.shell.run(inputs, lane="local"))


async def _said(bench: Bench) -> dict[str, int]:
    """Return the bytes that a request leaves in the outboxes of those who tell its beginning."""
    told = {}
    for name in ("intake", "router"):
        sql = f"SELECT sum(octet_length(value)) / count(DISTINCT request_id) FROM {name}.outbox WHERE value IS NOT NULL"
        told[f"{name}: bytes in the outbox a request"] = round(await bench.admin.fetchval(sql))
    return told


async def _states(bench: Bench) -> dict[str, int]:
    """Return the bytes of a request's state in each service, once it is assigned."""
    told = {}
    for name in bench.apps:
        sql = f"SELECT avg(octet_length(state)) FROM {name}.request WHERE state IS NOT NULL"
        told[f"{name}: bytes of a state"] = round(await bench.admin.fetchval(sql))
    return told


async def measured(admin_dsn: str) -> dict[str, int]:
    """Return round trips and statements by service, kind and size of a batch, and bytes by service. A batch of each warms up."""
    told: dict[str, int] = {}
    with TemporaryDirectory() as folder:
        async with CountingProxy(admin_dsn).serving() as proxy:
            bench = await Bench.open(admin_dsn, proxy, Path(folder) / "clock.json")
            try:
                for warm, size in [(True, size) for size in SIZES] + [(False, size) for size in SIZES]:
                    found = await _batches(bench, size)
                    if not warm:
                        told |= found | await _states(bench)
            finally:
                await bench.close()
    return told


async def _batches(bench: Bench, size: int) -> dict[str, int]:
    """Let requests come in and live through all services once; return what each part cost."""
    found = await _submitted(bench, size)
    received = bench.received(size)
    found |= await bench.take("router", f"{size} received", received)
    found |= await published(bench, size) | await _said(bench)
    life = await bench.life()
    for name in ("sla", "notifier", "stats"):
        found |= await bench.take(name, f"{size} received", received)
    for name in ("intake", "sla", "notifier", "stats"):
        found |= await bench.take(name, f"lives of {size}", life)
    return found | await fired(bench, size) | await mailed(bench, size)
