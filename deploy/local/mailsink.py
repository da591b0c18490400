"""A mail sink: takes every mail over SMTP, keeps it as a file, shows it on a page, delivers nothing.

As a process: `python -m deploy.local.mailsink --smtp-port 2525 --http-port 8025 --folder mails`.
From Python: `MailSink(folder)`, which runs that process and reads its mails.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn

from deploy.local import folders, ports
from deploy.local.mailpages import mail_app
from deploy.local.mailsmtp import Handler, serve_smtp
from deploy.local.mailstore import MailStore
from deploy.local.process import ServerProcess
from deploy.local.readiness import wait_until

_POLL_SECONDS = 0.1
_PAGE = 10_000
"""Summaries of one answer: of some hundred thousand at once the sink would be at work for longer than one waits for it."""


class MailSink:
    """`smtp` is where mail goes (smtp://…), `url` the page and the JSON interface."""

    def __init__(self, folder: Path, smtp_port: int | None = None, http_port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.smtp_host = "127.0.0.1"
        self.smtp_port = smtp_port or ports.free_port()
        self.http_port = http_port or ports.free_port()
        self._http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)
        self._process: ServerProcess | None = None

    @property
    def smtp(self) -> str:
        return f"smtp://{self.smtp_host}:{self.smtp_port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ports_given = ["--smtp-port", str(self.smtp_port), "--http-port", str(self.http_port)]
        self._process = ServerProcess(
            [sys.executable, "-m", "deploy.local.mailsink", *ports_given, "--folder", self.folder],
            log_file=self.folder / "mailsink.log",
            pid_file=self.folder / "mailsink.pid",
            environment={"PYTHONPATH": str(folders.ROOT)},
        )
        wait_until(self._answers, server=self._process, name="the mail sink", timeout_seconds=20)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def restart(self) -> None:
        """Same addresses, same mails; the behaviour is good again."""
        self.stop()
        self.start()

    def mails(self, *, to: str = "", after: str = "") -> list[dict[str, Any]]:
        """Summaries, oldest first: id, received_at, sender, recipients, subject, message_id, from_header, …"""
        found: list[dict[str, Any]] = []
        while True:
            asked = {"to": to, "after": found[-1]["id"] if found else after, "limit": _PAGE}
            page = self._http.get("/api/mails", params=asked).raise_for_status().json()
            found += page
            if len(page) < _PAGE:
                return found

    def mail(self, mail_id: str) -> dict[str, Any]:
        """A summary with headers (pairs), text, html, links and attachments (names)."""
        return dict(self._http.get(f"/api/mails/{mail_id}").raise_for_status().json())

    async def wait_for(
        self, *, to: str = "", subject: str = "", count: int = 1, timeout_seconds: float = 20
    ) -> list[dict[str, Any]]:
        """At least `count` whole mails to that address whose subject contains `subject`. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            found = [mail for mail in self.mails(to=to) if subject.lower() in mail["subject"].lower()]
            if len(found) >= count:
                return [self.mail(mail["id"]) for mail in found]
            if time.monotonic() > deadline:
                seen = [(mail["recipients"], mail["subject"]) for mail in self.mails()[-10:]]
                raise TimeoutError(f"{len(found)} of {count} mails to {to!r} about {subject!r}; the last ones: {seen}")
            await asyncio.sleep(_POLL_SECONDS)

    def behave(self, **behaviour: Any) -> None:
        """The fields of mailsmtp.Behaviour, such as refuse=451 or delay_seconds=2. Without any: good again."""
        self._http.post("/api/behaviour", json=behaviour).raise_for_status()

    def struck(self) -> int:
        """How often somebody has met a misbehaviour since the start."""
        return int(self._http.get("/api/struck").raise_for_status().json())

    def refused(self) -> list[str]:
        """The Message-IDs of the mails that were refused for good since the start, if told to refuse with `after_content`."""
        return list(self._http.get("/api/refused").raise_for_status().json())

    def clear(self) -> None:
        self._http.delete("/api/mails").raise_for_status()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _answers(self) -> None:
        _, smtp = await asyncio.open_connection(self.smtp_host, self.smtp_port)
        smtp.close()
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.get(f"{self.url}/api/behaviour")).raise_for_status()


async def serve(*, smtp_port: int, http_port: int, folder: Path) -> None:
    handler = Handler(MailStore(folder))
    smtp = await serve_smtp(handler, port=smtp_port)
    async with smtp:
        settings = uvicorn.Config(
            mail_app(handler), host="127.0.0.1", port=http_port, log_level="warning", timeout_graceful_shutdown=2
        )
        await uvicorn.Server(settings).serve()


def main() -> None:
    parser = argparse.ArgumentParser(description="Keeps every mail and shows it; delivers nothing.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    asyncio.run(serve(smtp_port=chosen.smtp_port, http_port=chosen.http_port, folder=chosen.folder))


if __name__ == "__main__":
    main()
