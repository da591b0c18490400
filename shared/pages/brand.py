"""Brand and frame: whose page this is, in which language, and what stands around it. Plain values."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SMALL_WORDS = frozenset({"de", "du", "des", "la", "le", "les", "l", "d", "sur", "sous", "en", "et", "aux", "au", "à"})


@dataclass(frozen=True, kw_only=True)
class Link:
    label: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Brand:
    """How an authority presents itself. `languages` is in the order of preference, the first is the default."""

    code: str
    name: str
    short_name: str
    colour: str = "#1f4e79"
    languages: tuple[str, ...] = ("fr",)
    home_url: str = "/"
    legal_links: tuple[Link, ...] = ()

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise ValueError(f"brand code {self.code!r}: letters, digits, '-' and '_' only")
        if not _COLOUR.fullmatch(self.colour):
            raise ValueError(f"brand {self.code}: colour {self.colour!r} is not of the form #rrggbb")
        if not self.languages:
            raise ValueError(f"brand {self.code}: at least one language is needed")

    @property
    def initials(self) -> str:
        """One or two letters for the monogram: "Saint-Aubin" gives SA, "Ville de Rives" gives VR."""
        words = [word for word in re.split(r"[\W_]+", self.short_name) if word and word.lower() not in _SMALL_WORDS]
        return "".join(word[0] for word in words[:2]).upper() or self.code[:1].upper()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What the base template shows around a page.

    `path` is the path and query of the page, for the language switch. `language_chosen` is true where the reader
    asked for the language in the address, so that the answer remembers it.
    """

    brand: Brand
    language: str
    path: str = "/"
    section: str = ""
    navigation: tuple[Link, ...] = field(default=())
    language_chosen: bool = False

    def in_language(self, language: str) -> str:
        """The address of this page in another language; the rest of the query is kept."""
        path, _, query = self.path.partition("?")
        kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "lang"]
        return f"{path}?{urlencode([*kept, ('lang', language)])}"
