"""Plays the usagers: opens the public form of a service, fills it in, sends it."""

import re

import httpx

from deploy.demo.day import DemoRequest
from deploy.demo.pages import read_page, submit

REFERENCE = re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}\b")


class FormRefused(Exception):
    """The form did not take what the usager typed."""


async def send_request(http: httpx.AsyncClient, site: str, request: DemoRequest) -> tuple[str, str]:
    """Send one request through the form; return its reference and the address of its tracking page."""
    address = f"{site}/{request.authority}/demande" + (f"/{request.service}" if request.service else "")
    question = {"lang": request.language} | ({"category": request.category} if request.category else {})
    page = read_page(await http.get(address, params=question, follow_redirects=True))
    form = page.form(with_field="text")
    typed = {"text": request.text, "email": request.email, "name": request.name or ""}
    if request.category:
        typed["category"] = request.category
    for code, answer in request.answers.items():
        typed |= _typed(form.names, code, answer)
    consent = [name for name in form.names if "consent" in name]
    done = await submit(http, page, form, typed | dict.fromkeys(consent, "yes"))
    found = REFERENCE.search(done.text)
    if done.status != 200 or found is None:
        raise FormRefused(f"{done.status} {done.url}: {done.text[:400]}")
    return found.group(), done.url


def _typed(names: set[str], code: str, answer: str) -> dict[str, str]:
    """Type an answer into the field of a question; a date is three fields."""
    name = next((one for one in names if one.rsplit(".", 1)[-1].rsplit("-", 1)[-1] == code or one.endswith(code)), code)
    if f"{name}_day" in names:
        year, month, day = answer.split("-")
        return {f"{name}_day": day, f"{name}_month": month, f"{name}_year": year}
    return {name: answer}
