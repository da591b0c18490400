"""Assets: the style sheet, the favicon and each authority's colours, at addresses with a hash of their content."""

import hashlib
import mimetypes
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from shared.pages.brand import Brand
from shared.pages.colour import Palette, dark_palette, light_palette

KIT_STATIC = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=60"
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


class Assets:
    """The static files of the kit and of a service, read once. A file of a later folder wins over an earlier one.

    One hash names all files, so that a style sheet may refer to its neighbours by relative addresses.
    """

    def __init__(self, *folders: Path, prefix: str = "/assets") -> None:
        self.prefix = prefix
        self._files: dict[str, bytes] = {}
        for folder in (KIT_STATIC, *folders):
            for path in sorted(file for file in folder.rglob("*") if file.is_file()):
                self._files[path.relative_to(folder).as_posix()] = path.read_bytes()
        digest = hashlib.sha256()
        for name, content in sorted(self._files.items()):
            digest.update(name.encode() + b"\0" + content)
        self.version = digest.hexdigest()[:12]

    def asset(self, name: str) -> str:
        """The address of a file; KeyError where there is no such file."""
        if name not in self._files:
            raise KeyError(f"no asset {name!r}; there are: {', '.join(sorted(self._files))}")
        return f"{self.prefix}/{self.version}/{name}"

    def theme(self, brand: Brand) -> str:
        """The address of an authority's colours."""
        return f"{self.prefix}/theme/{_theme_version(brand)}/{brand.code}.css"

    def static_app(self, brand_of: Callable[[str], Brand | None]) -> Router:
        """An ASGI application to mount at `prefix`. `brand_of` answers None for an unknown authority."""

        async def theme(request: Request) -> Response:
            brand = brand_of(request.path_params["code"])
            if brand is None:
                return PlainTextResponse("not found", status_code=404)
            fresh = request.path_params["version"] == _theme_version(brand)
            return _file(theme_css(brand).encode(), _TYPES[".css"], fresh=fresh)

        async def static(request: Request) -> Response:
            name = request.path_params["name"]
            if name not in self._files:
                return PlainTextResponse("not found", status_code=404)
            return _file(self._files[name], _type_of(name), fresh=request.path_params["version"] == self.version)

        return Router(routes=[Route("/theme/{version}/{code}.css", theme), Route("/{version}/{name:path}", static)])


def theme_css(brand: Brand) -> str:
    """The custom properties of an authority, for the light and the dark scheme; paper has no colours."""
    return (
        f"@media screen {{ :root {{ {_properties(light_palette(brand.colour))} }} }}\n"
        "@media screen and (prefers-color-scheme: dark) "
        f"{{ :root {{ {_properties(dark_palette(brand.colour))} }} }}\n"
    )


def _properties(palette: Palette) -> str:
    names = ("page", "surface", "soft", "line", "band", "on_band", "accent", "accent_strong", "on_accent")
    return " ".join(f"--{name.replace('_', '-')}: {getattr(palette, name)};" for name in names)


def _theme_version(brand: Brand) -> str:
    return hashlib.sha256(theme_css(brand).encode()).hexdigest()[:12]


def _type_of(name: str) -> str:
    suffix = Path(name).suffix
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _file(content: bytes, media_type: str, *, fresh: bool) -> Response:
    # An address of another version is answered all the same (a rolling upgrade), but not kept for long.
    return Response(content, media_type=media_type, headers={"Cache-Control": _FOREVER if fresh else _SHORT})
