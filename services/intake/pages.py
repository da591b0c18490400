"""The pages that only tell: authorities, services and elected officials, charter, legal notice."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.site import Site
from shared.organisation import Authority
from shared.organisation.charter import PromiseRule
from shared.pages.channels import CHANNEL_NAMES


def add_pages(site: Site) -> None:
    """Add the pages to the application."""

    async def installation(request: Request) -> Response:
        authorities = tuple(site.app.organisation.current.authorities.values())
        if len(authorities) == 1:
            return RedirectResponse(f"/{authorities[0].code}", status_code=303)
        return site.page(request, "authorities.html", authorities=authorities)

    async def home(request: Request) -> Response:
        authority = site.authority(request)
        services = authority.services_public()
        return site.page(
            request,
            "home.html",
            authority=authority,
            departments=[one for one in services if one.kind == "department"],
            elected=[one for one in services if one.kind == "elected"],
        )

    async def charter(request: Request) -> Response:
        authority = site.authority(request)
        frame = site.frame(request)
        promises = [(rule, [site.say(frame, name) for name in _reach(rule, authority)]) for rule in authority.charter.promises]
        return site.page(request, "charter.html", authority=authority, promises=promises)

    async def legal(request: Request) -> Response:
        return site.page(request, "legal.html", authority=site.authority(request))

    for path, page in (
        ("/", installation),
        ("/{authority}", home),
        ("/{authority}/charte", charter),
        ("/{authority}/mentions", legal),
    ):
        site.app.http.add_api_route(path, page, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)


def _reach(rule: PromiseRule, authority: Authority) -> list[str]:
    """Return the names of the channels, services and categories that a promise is for; none: it is for all."""
    channels = [CHANNEL_NAMES[channel] for channel in rule.channels or ()]
    services = [authority.service(code).full_name for code in rule.services or ()]
    return channels + services + [authority.category(code).name for code in rule.categories or ()]
