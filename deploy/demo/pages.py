"""Reads pages as a browser without JavaScript does: their forms, with what is filled in already, and their links."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


@dataclass
class Form:
    """A form: where it goes, how, and what it sends unless something else is typed. `options` of selects and radios."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._form: Form | None = None
        self._select = self._area = self._link = ""
        self._button = False
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self._form = Form(told.get("action", ""), told.get("method", "get").lower())
                self.forms.append(self._form)
            case "input" if self._form is not None:
                self._input(self._form, told)
            case "textarea" if self._form is not None:
                self._area = told.get("name", "")
                self._form.fields[self._area] = ""
                self._form.names.add(self._area)
            case "select" if self._form is not None:
                self._select = told.get("name", "")
                self._form.names.add(self._select)
            case "option" if self._form is not None and self._select:
                self._form.options.setdefault(self._select, []).append(told.get("value", ""))
                if "selected" in told or self._select not in self._form.fields:
                    self._form.fields[self._select] = told.get("value", "")
            case "button" if self._form is not None:
                self._button = True
            case "a":
                self._link = told.get("href", "")
            case "style" | "script" | "title":
                self._hidden += 1
            case _:
                pass

    @staticmethod
    def _input(form: Form, told: dict[str, str]) -> None:
        name, kind = told.get("name", ""), told.get("type", "text")
        if not name:
            return
        form.names.add(name)
        if kind in ("radio", "checkbox"):
            form.options.setdefault(name, []).append(told.get("value", "on"))
            if "checked" not in told:
                return
        form.fields[name] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""
        elif tag == "a":
            self._link = ""
        elif tag == "button":
            self._button = False
        elif tag in ("style", "script", "title"):
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.fields[self._area] += data
        elif self._button and self._form is not None and data.strip():
            self._form.buttons.append(" ".join(data.split()))
        elif self._link and data.strip():
            self.links.append((self._link, " ".join(data.split())))
        if not self._hidden and data.strip():
            self.text.append(" ".join(data.split()))


@dataclass(frozen=True)
class WebPage:
    """A page that was fetched."""

    url: str
    status: int
    forms: list[Form]
    links: list[tuple[str, str]]
    text: str

    def form(self, *, with_field: str) -> Form:
        """Return the form that has a field of this name. Raises LookupError, quoting the page."""
        for form in self.forms:
            if with_field in form.names or with_field in form.options:
                return form
        raise LookupError(f"{self.status} {self.url}: no form with a field {with_field!r}; the page says: {self.text[:300]}")


def read_page(response: httpx.Response) -> WebPage:
    """Return what a page holds."""
    reader = _Reader()
    reader.feed(response.text)
    return WebPage(str(response.url), response.status_code, reader.forms, reader.links, " ".join(reader.text))


async def submit(http: httpx.AsyncClient, page: WebPage, form: Form, typed: dict[str, str]) -> WebPage:
    """Send a form with what was typed into it, and return the page that follows."""
    target = urljoin(page.url, form.action) if form.action else page.url
    sent = form.fields | typed
    request = (
        http.build_request("POST", target, data=sent) if form.method == "post" else http.build_request("GET", target, params=sent)
    )
    return read_page(await http.send(request, follow_redirects=True))
