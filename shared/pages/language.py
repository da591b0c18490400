"""Language: which of the authority's languages this reader gets."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from shared.pages.brand import Brand, Frame, Link

COOKIE = "lang"
_ONE_YEAR_SECONDS = 365 * 24 * 3600
_ACCEPT_LIMIT = 500


def choose_language(offered: Sequence[str], *, asked: str | None, remembered: str | None, accept: str | None) -> str:
    """The first that is offered of: the address, the cookie, the browser's preferences; else the authority's first."""
    for candidate in (asked, remembered):
        if candidate in offered:
            return str(candidate)
    for candidate in _accepted(accept or ""):
        if candidate in offered:
            return candidate
    return offered[0]


def frame_for(request: Request, brand: Brand, *, section: str = "", navigation: tuple[Link, ...] = ()) -> Frame:
    """The frame of the page that answers this request."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")  # request.url takes ten times as long
    asked = request.query_params.get("lang") if query else None
    language = choose_language(
        brand.languages,
        asked=asked,
        remembered=request.cookies.get(COOKIE),
        accept=request.headers.get("accept-language"),
    )
    return Frame(
        brand=brand,
        language=language,
        path=f"{path}?{query}" if query else path,
        section=section,
        navigation=navigation,
        language_chosen=asked == language,
    )


def remember_language(response: Response, frame: Frame, *, secure: bool = False) -> None:
    """Keep a choice made in the address for the next pages. A preference and nothing else: no consent is needed."""
    if frame.language_chosen:
        response.set_cookie(COOKIE, frame.language, max_age=_ONE_YEAR_SECONDS, secure=secure, httponly=True, samesite="lax")


def _accepted(header: str) -> list[str]:
    """Primary subtags of an Accept-Language header, the preferred first; what cannot be read is passed over."""
    weighted: list[tuple[float, int, str]] = []
    for position, part in enumerate(header[:_ACCEPT_LIMIT].split(",")):
        tag, _, parameters = part.strip().partition(";")
        quality = _quality(parameters)
        if tag and quality > 0:
            weighted.append((-quality, position, tag.split("-")[0].strip().lower()))
    return [tag for _, _, tag in sorted(weighted)]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
