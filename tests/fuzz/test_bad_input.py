"""Bad input to every page and API, through a real socket: never a failure of ours, always a word on what to do."""

import asyncio
import html
import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.fuzz.installation import BUILDS, Installation
from tests.fuzz.naughty_strings import STRINGS

pytestmark = pytest.mark.integration
FORM = "application/x-www-form-urlencoded"
HUGE = b"a" * 2_000_000

POSTED = [
    ("intake", "/rivemont/demande"),
    ("intake", "/rivemont/demande/voirie"),
    ("intake", "/rivemont/suivi/{token}/ajouter"),
    ("intake", "/v1/requests"),
    ("router", "/a/{link}"),
]
"""Where something can be sent, by service."""
BODIES: list[tuple[str, bytes, str | None]] = [
    ("empty form", b"", FORM),
    ("empty, of no type", b"", None),
    ("empty JSON", b"", "application/json"),
    ("huge form", b"text=" + HUGE, FORM),
    ("huge JSON", b'{"text": "' + HUGE + b'"}', "application/json"),
    ("form that is not UTF-8", b"text=\xff\xfe&email=\xe9", FORM),
    ("form with escapes that are not UTF-8", b"text=%ff%fe&email=%e9", FORM),
    ("form with NUL", b"text=a%00b&email=a%40b.example", FORM),
    ("form in another charset", "text=été".encode("latin-1"), f"{FORM}; charset=iso-8859-1"),
    ("form with many fields", b"&".join(b"f%d=1" % number for number in range(5_000)), FORM),
    ("JSON that is not UTF-8", b'{"authority": "rivemont", "text": "\xff"}', "application/json"),
    ("JSON with NUL", b'{"authority": "rivemont", "email": "a@b.example", "text": "a\\u0000b"}', "application/json"),
    ("JSON with half a character", b'{"authority": "rivemont", "email": "a@b.example", "text": "\\ud800"}', "application/json"),
    ("JSON that is no object", b"[1, 2]", "application/json"),
    ("JSON that is very deep", b"[" * 50_000, "application/json"),
    ("JSON with a huge number", b'{"authority": 1' + b"0" * 6_000 + b"}", "application/json"),
    ("JSON as text", b'{"authority": "rivemont"}', "text/plain"),
    ("no type", b"text=a", None),
    ("odd type", b"text=a", "a/b/c; ;;="),
    ("parts without a boundary", b"text", "multipart/form-data"),
    ("broken parts", b"--x\r\nContent-Disposition: form-data\r\n\r\n", "multipart/form-data; boundary=x"),
]
ADDRESSES = [
    ("intake", "/nulle-part", 404),
    ("intake", "/nulle-part/demande/voirie", 404),
    ("intake", "/rivemont/demande/piscine", 404),
    ("intake", "/rivemont/suivi/AAAAAAAAAAAAAAAAAAAAAA", 404),
    ("intake", "/saint-aubrin/suivi/{token}", 404),
    ("intake", "/rivemont/suivi/" + "a" * 5_000, 404),
    ("intake", "/v1/requests/AAAAAAAAAAAAAAAAAAAAAA", 404),
    ("intake", "/v1/nothing", 404),
    ("router", "/a/AAAAAAAAAAAAAAAAAAAAAA", 404),
    ("router", "/a/{token}", 404),
    ("router", "/", 404),
    ("sla", "/v1/requests/01890000-0000-7000-8000-000000000001/deadline", 404),
    ("sla", "/v1/requests/demande/deadline", 422),
    ("stats", "/nulle-part/statistiques", 404),
    ("stats", "/rivemont/statistiques?from=2026-13", 422),
    ("stats", "/rivemont/statistiques?from=2026-11&to=2026-10", 422),
    ("stats", "/v1/statistics/nulle-part", 404),
    ("stats", "/v1/statistics/rivemont?from=hier", 422),
    ("stats", "/v1/statistics/rivemont?from=1999-01&to=2026-11", 422),
]
"""Addresses of things that are not there, and what is answered."""
RAW_TARGETS = [
    b"/%ff%fe", b"/%00", b"/rivemont/%00", b"/rivemont/demande/%ff", b"/rivemont/suivi/%ff%00", b"/a/%ff", b"/a/%00",
    b"/v1/requests/%00", b"/v1/requests/%ff/deadline", b"/v1/statistics/%ff?from=%ff&to=%00", b"/rivemont/statistiques?from=%ff",
    b"/../../etc/passwd", b"/static/../../../etc/passwd", b"/assets/%2e%2e/%2e%2e/settings.py", b"/stats/assets/..%2f..%2fapp.py",
    b"//rivemont", b"/rivemont?" + b"a=1&" * 5_000, b"/rivemont;x=1", b"/rivemont/demande/voirie?category=%00",
]  # fmt: skip


def filled(installation: Installation, path: str) -> str:
    return path.format(token=installation.tracking_token, link=installation.link_token)


def says_what_to_do(answer: httpx.Response) -> bool:
    """Whether a refusal tells its reader how to go on: a problem with its remedy, or a page with "Que faire ?" or the field."""
    if answer.headers["content-type"].startswith("application/problem+json"):
        problem = answer.json()
        return bool(problem["remedy"]) and problem["status"] == answer.status_code
    page = html.unescape(answer.text)
    return "Que faire" in page or "error-summary" in page or "Vous pouvez" in page or "Envoyer" in page


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.parametrize(("service", "path"), POSTED)
@pytest.mark.parametrize(("name", "body", "kind"), BODIES, ids=[name for name, _, _ in BODIES])
async def test_what_cannot_be_taken_is_refused_with_what_to_do(
    installation: Installation, http: httpx.AsyncClient, service: str, path: str, name: str, body: bytes, kind: str | None
) -> None:
    headers = {"content-type": kind} if kind is not None else {}

    answer = await http.post(installation.url(service) + filled(installation, path), content=body, headers=headers)

    assert 400 <= answer.status_code < 500, answer.text
    assert says_what_to_do(answer), answer.text
    if name.startswith("huge"):
        assert answer.status_code == 413


@pytest.mark.parametrize("field", ["email", "name", "phone", "text", "category", "service", "language"])
async def test_a_naughty_string_is_taken_or_refused_with_what_to_do(
    installation: Installation, http: httpx.AsyncClient, field: str
) -> None:
    """Through the real socket, by the API and by the form: never lost, never a failure of ours."""
    taken = 0
    for text in STRINGS[::7]:
        told = {"service": "voirie", "category": "eclairage", "email": "a@b.example", "text": "Bonjour."} | {field: text}
        body = json.dumps({"authority": "rivemont", "answers": {"lieu": "ici"}} | told)
        sent = {"answer-lieu": "ici"} | {name: value.encode("utf-8", "surrogatepass") for name, value in told.items()}
        form = urlencode({name: value for name, value in sent.items() if name != "service"})
        for answer in (
            await http.post(
                f"{installation.url('intake')}/v1/requests", content=body, headers={"content-type": "application/json"}
            ),
            await http.post(
                f"{installation.url('intake')}/rivemont/demande/voirie", content=form, headers={"content-type": FORM}
            ),
        ):
            taken += answer.status_code in (201, 303)
            assert answer.status_code in (201, 303) or 400 <= answer.status_code < 500, answer.text
            assert answer.status_code in (201, 303) or says_what_to_do(answer), answer.text
    assert taken or field in ("email", "phone", "category"), "none of them is an address, a number or a code"


@pytest.mark.parametrize(("service", "path", "status"), ADDRESSES)
async def test_a_wrong_address_says_what_to_do(
    installation: Installation, http: httpx.AsyncClient, service: str, path: str, status: int
) -> None:
    answer = await http.get(installation.url(service) + filled(installation, path))

    assert answer.status_code == status
    assert says_what_to_do(answer), answer.text


@pytest.mark.parametrize("accept", ["fr", "en", ";;q=,*", "zz;q=2," * 500])
async def test_a_closed_service_says_who_will_answer(installation: Installation, http: httpx.AsyncClient, accept: str) -> None:
    authority = installation.apps["intake"].authority("rivemont")
    (closed,) = [code for code in authority.services if not authority.is_open(code, installation.apps["intake"].clock.now())]

    page = await http.get(f"{installation.url('intake')}/rivemont/demande/{closed}", headers={"accept-language": accept})

    assert page.status_code == 200
    assert authority.front_desk_service.name in html.unescape(page.text)


@pytest.mark.parametrize("service", list(BUILDS))
@pytest.mark.parametrize("target", RAW_TARGETS)
async def test_no_bytes_of_an_address_make_a_service_fail(installation: Installation, service: str, target: bytes) -> None:
    for method in (b"GET", b"HEAD", b"POST", b"DELETE", b"TRACE"):
        status = await status_of(
            installation.url(service), method + b" " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert status < 500, f"{method!r} {target[:80]!r}"


@pytest.mark.parametrize("service", list(BUILDS))
@pytest.mark.parametrize(
    "headers",
    [
        b"Accept-Language: \xff\xfe\r\n",
        b"Cookie: \xff=\x01; lang=\x00\r\n",
        b"Content-Type: \xff\xff\r\nContent-Length: 1\r\n\r\nx",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Idempotency-Key: \xe9\r\n",
        b"X-Forwarded-For: '; DROP TABLE x\r\n",
        b"traceparent: 00-x-y-z\r\n",
        b"A: " + b"b" * 100_000 + b"\r\n",
    ],
)
async def test_no_header_makes_a_service_fail(installation: Installation, service: str, headers: bytes) -> None:
    for line in (b"POST /v1/requests HTTP/1.1\r\nHost: a\r\n", b"GET /rivemont HTTP/1.1\r\nHost: a\r\n"):
        status = await status_of(installation.url(service), line + b"Connection: close\r\n" + headers + b"\r\n")
        assert status < 500


async def status_of(url: str, request: bytes) -> int:
    """The status that these bytes are answered with; 400 when the connection is closed without a word."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(15):
            line = await reader.readline()
        return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 400
    except ConnectionError:
        return 400
    finally:
        writer.close()
