"""How an application built on the kit answers when something is wrong: to programs and to people."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from shared.pages.answers import ProblemAnswers
from shared.pages.brand import Brand
from shared.pages.environment import Pages
from shared.pages.language import frame_for
from shared.pages.problem import FieldProblem, Problem
from shared.pages.security import CONTENT_SECURITY_POLICY

BRAND = Brand(code="rives", name="Ville de Rives", short_name="Rives", languages=("fr", "en"))
LIMIT = 2_000  # of the application in conftest.py
SECRET = "Madame Secrète"


def errors_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["field"]: error for error in answer.json()["errors"]}


async def test_an_invalid_body_names_each_field(client: httpx.AsyncClient) -> None:
    body = {"contact": {"email": "x" * 30}, "service": "moon", "colour/~": "red"}

    answer = await client.post("/v1/requests", json=body)

    errors = errors_of(answer)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/validation"
    assert errors["/contact/email"]["detail"] == "Texte trop long : 20 caractères au plus."
    assert errors["/service"]["detail"] == "Service inconnu <b>."
    assert errors["/colour~1~0"]["code"] == "extra_forbidden"
    assert "xxx" not in answer.text


async def test_a_missing_field_is_told_in_the_language_of_the_caller(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/requests", json={"service": "roads"}, headers={"Accept-Language": "en"})

    assert errors_of(answer)["/contact"]["detail"] == "This field is required."
    assert answer.json()["title"] == "Some information needs correcting"


async def test_a_query_parameter_is_told_from_the_body(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/requests/seven?limit=x")

    assert errors_of(answer)["/number"]["in"] == "path"
    assert errors_of(answer)["/limit"]["in"] == "query"


@pytest.mark.parametrize(
    "method, path, content, content_type, status",
    [
        ("GET", "/v1/nowhere", b"", "", 404),
        ("DELETE", "/v1/requests", b"", "", 405),
        ("POST", "/v1/requests", b"{", "application/json", 400),
        ("POST", "/v1/requests", b"", "application/json", 422),
        ("POST", "/v1/requests", b"<a/>", "application/xml", 415),
        ("POST", "/v1/requests", b"{}", "application/json; charset=latin-1", 415),
        ("POST", "/v1/requests", "é".encode("latin-1"), "application/json", 400),
        ("POST", "/v1/requests", rb'{"service": "a\u0000b"}', "application/json", 400),
        ("POST", "/v1/requests", rb'{"service": "\ud800"}', "application/json", 400),
        ("POST", "/v1/requests", b"[" * 1_900, "application/json", 400),
        ("POST", "/v1/requests", b" " * (LIMIT + 1), "application/json", 413),
        ("GET", "/v1/requests/1?limit=%00", b"", "", 400),
        ("GET", "/v1/re%00quests", b"", "", 400),
    ],
)
async def test_a_program_gets_a_problem(
    client: httpx.AsyncClient, method: str, path: str, content: bytes, content_type: str, status: int
) -> None:
    answer = await client.request(method, path, content=content, headers={"Content-Type": content_type})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["remedy"]


async def test_a_text_about_an_escaped_nul_is_no_nul(client: httpx.AsyncClient) -> None:
    body = {"contact": {"email": r"a\u0000"}, "service": "roads"}

    assert (await client.post("/v1/requests", json=body)).status_code == 200


async def test_a_smiley_written_as_two_escapes_is_welcome(client: httpx.AsyncClient) -> None:
    content = json.dumps({"contact": {"email": "🙂"}, "service": "roads"}).encode()

    answer = await client.post("/v1/requests", content=content, headers={"Content-Type": "application/json"})

    assert rb"\ud83d" in content
    assert answer.status_code == 200


async def test_a_method_that_is_not_allowed_names_those_that_are(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/v1/requests")).headers["allow"] == "POST"


async def test_a_service_says_more_than_the_status(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/conflict")

    assert answer.json()["code"] == "key-reused"
    assert errors_of(answer)["/key"]["detail"] == "Déjà utilisée."


@pytest.mark.parametrize(
    "method, path, content, content_type, status, words",
    [
        ("GET", "/nowhere", b"", "", 404, "Page introuvable"),
        ("GET", "/gone", b"", "", 410, "Utilisez le lien du message le plus récent."),
        ("GET", "/form", b"", "", 405, "Repartez de la page d’accueil."),
        ("POST", "/form", b"text=%E9t%E9", "application/x-www-form-urlencoded", 400, "UTF-8"),
        ("POST", "/form", b"text=a%00b", "application/x-www-form-urlencoded", 400, "caractère nul"),
        ("POST", "/form", b"", "application/x-www-form-urlencoded", 422, "Ce champ est obligatoire."),
        ("POST", "/form", b"text=" + b"a" * LIMIT, "application/x-www-form-urlencoded", 413, "trop volumineux"),
        ("POST", "/upload", b"garbage", "multipart/form-data; boundary=x", 400, "Que faire"),
        ("POST", "/upload", b"garbage", "multipart/form-data", 400, "Que faire"),
    ],
)
async def test_a_person_gets_a_page_that_says_what_to_do(
    client: httpx.AsyncClient, method: str, path: str, content: bytes, content_type: str, status: int, words: str
) -> None:
    answer = await client.request(method, path, content=content, headers={"Content-Type": content_type, "Accept": "text/html"})

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert "Que faire ?" in answer.text


async def test_an_upload_without_announced_length_is_counted(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(10):
            yield b"a" * 500

    answer = await client.post("/upload", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"})

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


async def test_an_upload_within_the_limit_arrives_whole(client: httpx.AsyncClient) -> None:
    assert (await client.post("/upload", files={"file": b"a" * 1_000})).json() == 1_000


async def test_a_form_arrives_as_it_was_written(client: httpx.AsyncClient) -> None:
    assert (await client.post("/form", data={"text": "été + 100 %\r\n🙂"})).json() == "été + 100 %\r\n🙂"


@pytest.mark.parametrize("path", ["/broken", "/v1/broken"])
async def test_an_unexpected_error_gives_an_id_and_nothing_else(
    client: httpx.AsyncClient, reported: list[tuple[str, Exception]], path: str
) -> None:
    answer = await client.get(path)

    [(error_id, error)] = reported
    assert answer.status_code == 500
    assert error_id in answer.text
    assert SECRET not in answer.text
    assert str(error) == SECRET


async def test_every_page_is_guarded_and_never_cached(client: httpx.AsyncClient) -> None:
    for path in ("/nowhere", "/broken", "/gone"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "camera=()" in headers["permissions-policy"]


async def test_a_page_of_an_error_is_in_the_language_of_the_reader(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere?lang=en")

    assert '<html lang="en">' in answer.text
    assert "Page not found" in answer.text


async def test_a_message_of_ours_is_escaped_in_the_page() -> None:
    async def hostile(request: Request) -> None:
        raise Problem(400, detail="<script>", errors=[FieldProblem(field="/<b>", detail="<i>", code="x")])

    app = FastAPI()
    app.add_api_route("/x", hostile)
    answers = ProblemAnswers(Pages(), frame_of=lambda request: frame_for(request, BRAND), report=lambda error_id, error: None)
    answers.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rives.test") as client:
        page = (await client.get("/x")).text

    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
