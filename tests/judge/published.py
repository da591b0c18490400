"""What the service of the statistics answers to anybody who asks."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx

from tests.judge.evidence import Evidence


async def ask_for_statistics(url: str, evidence: Evidence) -> Mapping[tuple[str, date], Any]:  # Any: JSON
    """Return the answers about each month of each authority that has figures. Raises httpx.HTTPError."""
    months = {(row["authority"], row["day"].replace(day=1)) for row in evidence.rows["stats.cell"]}
    answers: dict[tuple[str, date], Any] = {}
    async with httpx.AsyncClient(base_url=url, timeout=10.0, trust_env=False) as client:
        for code, month in sorted(months):
            period = {"from": f"{month:%Y-%m}", "to": f"{month:%Y-%m}"}
            answers[code, month] = (await client.get(f"/v1/statistics/{code}", params=period)).raise_for_status().json()
    return answers
