"""Runs the fuzzer of the APIs beside the services."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from tests.architecture.tree import ROOT
from tests.fuzz.apis import Fuzzed, Known
from tests.fuzz.installation import Installation

WITH_API: Final = ("intake", "sla", "stats")
"""The router has pages only, the notifier nothing but its health."""


async def fuzz(
    installation: Installation, *, cases: int, seed: int, tell: Callable[[str], None], seconds: float | None = None
) -> Fuzzed:
    """Send at least so many cases to the APIs, or as many as the time allows; `tell` hears of the progress."""
    known = Known(
        {service: installation.url(service) for service in WITH_API}, str(installation.request_id), installation.tracking_token
    )
    arguments = ["--cases", str(cases), "--seed", str(seed), *(["--seconds", str(seconds)] if seconds else [])]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fuzz.apis", *arguments),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asdict(known)).encode())
    process.stdin.close()
    told: dict[str, object] = {}
    async for line in process.stdout:
        told = json.loads(line)
        if "progress" in told:
            tell(str(told["progress"]))
    if await process.wait() or "cases" not in told:
        raise RuntimeError("the fuzzer itself failed: see above")
    return Fuzzed(**told)  # type: ignore[arg-type]  # what `apis.main` wrote of one
