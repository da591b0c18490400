"""`make demo`: a town's day through the real services, at an accelerated clock.

Starts Kafka, PostgreSQL and the mail sink, the five services under a supervisor, sends the requests of
deploy/demo/requests.yaml through the public form, plays the agents who follow the links in their mails, then prints the
path of each request and leaves everything open until Ctrl-C. With --once it ends by itself: 0 when every request reached
its end, 1 otherwise.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from deploy.demo.agent import Agents
from deploy.demo.day import DemoRequest, next_working_tuesday, read_demo_day
from deploy.demo.path import PARIS, read_paths
from deploy.demo.usager import FormRefused, send_request
from deploy.local import address, folders
from deploy.local.process import StartError
from deploy.local.town import Town

DAY_SPEED = 2400.0
"""Seconds of the town in a real one: the day takes 36 seconds."""
WEEKS_SPEED = 43_200.0
"""While nothing happens but delays running out: half a day a second."""
PATIENCE_SECONDS = 150.0
PROGRESS_SECONDS = 4.0
LONGEST = timedelta(days=25)


class Demo:
    """The played day. `town` runs; `mails_url` shows the mails."""

    def __init__(self, town: Town, *, mails_url: str, http: httpx.AsyncClient, agents_http: httpx.AsyncClient) -> None:
        self.town = town
        self.http = http
        self.day = read_demo_day(Path(__file__).parent / "requests.yaml").requests
        self.midnight = _next_tuesday()
        self.agents = Agents(agents_http, mails_url=mails_url, daytime=self._daytime)
        self.sent: dict[str, DemoRequest] = {}
        self.pages: dict[str, str] = {}
        self.refused: list[str] = []

    def _daytime(self) -> bool:
        return 8 <= self.town.now().astimezone(PARIS).hour < 18

    async def run(self) -> None:
        """Play the day, then let the delays of what nobody handles run out."""
        self.town.set_clock(self.midnight.astimezone(UTC), speed=DAY_SPEED)
        agents = asyncio.create_task(self.agents.serve())
        telling = asyncio.create_task(self._tell_progress())
        await asyncio.gather(*(self._send(request) for request in self.day))
        self._say(f"{len(self.sent)} requests sent through the form, {len(self.refused)} refused")
        await self._until(lambda: self.agents.idle)
        telling.cancel()
        self._say("all is done that agents were to do; now the delays of what nobody handles run out")
        self.town.set_clock(self.town.now(), speed=WEEKS_SPEED)
        await self._until_ended()
        self.town.set_clock(self.town.now(), speed=1.0)
        agents.cancel()

    async def _send(self, request: DemoRequest) -> None:
        due = datetime.combine(self.midnight.date(), request.at, PARIS)
        await asyncio.sleep((due - self.town.now()).total_seconds() / DAY_SPEED)
        try:
            reference, page = await send_request(self.http, self.town.url("intake"), request)
        except (FormRefused, LookupError, httpx.HTTPError) as error:
            self.refused.append(f"{request.at} {request.service}: {error}")
            return
        self.sent[reference] = request
        self.pages[reference] = page
        self.agents.expect(reference, request)

    async def _until(self, over: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not over():
            if time.monotonic() > deadline:
                self._say("gave up waiting for the agents")
                return
            await asyncio.sleep(0.2)

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            done, all_acts = self.agents.progress
            self._say(f"{len(self.sent)} of {len(self.day)} requests sent, {done} of {all_acts} acts of agents done")

    async def _until_ended(self) -> None:
        deadline = self.town.now() + LONGEST
        while left := await self.unfinished():
            self._say(f"requests that have not reached their end yet: {len(left)}")
            if self.town.now() > deadline:
                return
            await asyncio.sleep(2)

    async def unfinished(self) -> dict[str, list[str]]:
        """Return what is missing, by reference, of each request that has not reached its end."""
        paths = await read_paths(self.town.admin_dsn)
        found = {
            reference: paths[reference].missing(request.agent) if reference in paths else ["everything"]
            for reference, request in self.sent.items()
        }
        return {reference: missing for reference, missing in found.items() if missing}

    def _say(self, text: str) -> None:
        print(f"  {self.town.now().astimezone(PARIS):%a %d %b %H:%M}  {text}", flush=True)

    async def conclude(self) -> bool:
        """Print the path of each request; return whether all is well."""
        paths = await read_paths(self.town.admin_dsn)
        for reference, request in self.sent.items():
            print(f"\n{reference}  {request.authority}, {request.category or 'no category'}  {self.pages[reference]}")
            for line in paths[reference].lines() if reference in paths else ["LOST"]:
                print(f"    {line}")
        left = await self.unfinished()
        for reference, missing in left.items():
            print(f"NOT AT ITS END  {reference}: {', '.join(missing)}")
        for failure in (*self.refused, *self.agents.failures):
            print(f"FAILED  {failure}")
        ended = len(self.sent) - len(left)
        print(f"\n{ended} of {len(self.day)} requests reached their end.", flush=True)
        return ended == len(self.day) and not self.agents.failures


def _next_tuesday() -> datetime:
    """Midnight of a coming Tuesday, Paris time: an ordinary working day."""
    return datetime.combine(next_working_tuesday(datetime.now(PARIS).date()), datetime.min.time(), PARIS)


async def play(folder: Path, *, kafka: str, admin_dsn: str, mail: address.MailAddress, once: bool) -> int:
    """Run the demo on these servers."""
    town = Town(folder / "town", kafka=kafka, admin_dsn=admin_dsn, smtp=mail.smtp, shared_clock=True)
    town.folder.mkdir(parents=True, exist_ok=True)
    town.set_clock(_next_tuesday().astimezone(UTC), speed=1.0)
    print("Migrating, creating topics, starting the five services", flush=True)
    try:
        await town.prepare()
        town.start_supervised()
        async with _browser() as http, _browser() as agents_http:  # each keeps its own cookies
            demo = Demo(town, mails_url=mail.page or "", http=http, agents_http=agents_http)
            print(
                f"Playing {len(demo.day)} requests of {demo.midnight:%A %d %B %Y}; a real second is 40 minutes there", flush=True
            )
            await demo.run()
            well = await demo.conclude()
            if not once:
                _tell_addresses(town, mail, demo)
                await _until_interrupted()
    finally:
        town.stop()
        if address.any_given():
            await town.remove()
    return 0 if well else 1


def _browser() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=20, trust_env=False, limits=httpx.Limits(max_connections=20))


def _tell_addresses(town: Town, mail: address.MailAddress, demo: Demo) -> None:
    print(f"\n  form        {town.url('intake')}/rivemont")
    if demo.pages:
        print(f"  tracking    {next(iter(demo.pages.values()))}")
    print(f"  mailbox     {mail.page}")
    print(f"  statistics  {town.url('stats')}/rivemont/statistiques", flush=True)


async def _until_interrupted() -> None:
    print("\nEverything stays open until Ctrl-C.", flush=True)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--once", action="store_true", help="end when all is told; exit 0 when every request reached its end")
    once: bool = parser.parse_args().once
    folders.sweep_dead_runs()
    folder = folders.own_run()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    try:
        with ExitStack() as servers:
            print("Starting Kafka, PostgreSQL and the mail sink (the first time fetches about 120 MB)", flush=True)
            bootstrap = servers.enter_context(address.kafka(folder / "kafka"))
            admin_dsn = servers.enter_context(address.postgres(folder / "postgres"))
            mail = servers.enter_context(address.smtp(folder / "mail"))
            return asyncio.run(play(folder, kafka=bootstrap, admin_dsn=admin_dsn, mail=mail, once=once))
    except StartError as error:
        print(f"make demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    finally:
        folders.remove(folder)


if __name__ == "__main__":
    sys.exit(main())
