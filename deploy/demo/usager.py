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
    if page.status == 404:  # a service that no longer exists has no form; an old app still knows its code
        return await _send_by_api(http, site, request)
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


async def _send_by_api(http: httpx.AsyncClient, site: str, request: DemoRequest) -> tuple[str, str]:
    told = request.model_dump(include={"authority", "service", "category", "name", "email", "text", "answers", "language"})
    answer = await http.post(f"{site}/v1/requests", json=told | {"channel": "app"})
    if answer.status_code != 201:
        raise FormRefused(f"{answer.status_code}: {answer.text[:400]}")
    return answer.json()["reference"], answer.json()["tracking_url"]


def _typed(names: set[str], code: str, answer: str) -> dict[str, str]:
    """Type an answer into the field of a question; a date is three fields."""
    name = f"answer-{code}"
    if f"{name}_day" in names:
        year, month, day = answer.split("-")
        return {f"{name}_day": day, f"{name}_month": month, f"{name}_year": year}
    return {name: answer}
