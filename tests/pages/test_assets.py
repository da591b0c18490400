"""Static files: kept for long at addresses that change with their content."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from shared.pages.assets import Assets
from shared.pages.brand import Brand

BRAND = Brand(code="rives", name="Rives", short_name="Rives", colour="#7b1e57")


async def fetch(path: str, assets: Assets) -> httpx.Response:
    app = Starlette(routes=[Mount(assets.prefix, assets.static_app({"rives": BRAND}.get))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rives.test") as client:
        return await client.get(path)


async def test_the_style_sheet_is_kept_for_a_year() -> None:
    assets = Assets()

    answer = await fetch(assets.asset("kit.css"), assets)

    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert ":focus-visible" in answer.text


async def test_an_address_of_another_version_answers_but_is_not_kept() -> None:
    answer = await fetch("/assets/000000000000/kit.css", Assets())

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=60"


async def test_an_authority_has_its_own_colours() -> None:
    assets = Assets()

    answer = await fetch(assets.theme(BRAND), assets)

    assert "--band: #7b1e57;" in answer.text
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    ["/assets/1/nothing.css", "/assets/theme/1/unknown.css", "/assets/1/../../pyproject.toml", "/assets/1/%2e%2e/x"],
)
async def test_what_does_not_exist_is_not_found(path: str) -> None:
    assert (await fetch(path, Assets())).status_code == 404


def test_a_service_adds_files_and_the_address_changes(tmp_path: Path) -> None:
    (tmp_path / "map.svg").write_text("<svg/>")

    assert Assets(tmp_path, prefix="/stats/assets").asset("map.svg").startswith("/stats/assets/")
    assert Assets(tmp_path).version != Assets().version
    with pytest.raises(KeyError, match=r"kit\.css"):
        Assets().asset("missing.css")
