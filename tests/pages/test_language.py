"""Which language the reader gets, and that nothing is left untranslated."""

from pathlib import Path
from typing import get_args

import pytest
from starlette.requests import Request

from shared.events.requests import Channel
from shared.pages.brand import Brand
from shared.pages.catalogue import Catalogue, missing_translations
from shared.pages.channels import CHANNEL_NAMES
from shared.pages.environment import Pages
from shared.pages.language import choose_language, frame_for

KIT = Path(__file__).parents[2] / "shared/pages"
BRAND = Brand(code="rives", name="Rives", short_name="Rives", languages=("fr", "en"))


@pytest.mark.parametrize(
    "asked, remembered, accept, expected",
    [
        ("en", "fr", "fr", "en"),
        (None, "en", "fr", "en"),
        (None, None, "en-GB,en;q=0.9,fr;q=0.8", "en"),
        (None, None, "de, fr;q=0.2, en;q=0.7", "en"),
        (None, None, "en;q=0, fr;q=0.1", "fr"),
        ("xx", "../..", "de", "fr"),
        (None, None, ";;;q=,,en;q=abc", "fr"),
        (None, None, None, "fr"),
    ],
)
def test_the_language(asked: str | None, remembered: str | None, accept: str | None, expected: str) -> None:
    assert choose_language(("fr", "en"), asked=asked, remembered=remembered, accept=accept) == expected


def request(query: str = "", cookie: str = "") -> Request:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return Request({"type": "http", "method": "GET", "path": "/suivi", "query_string": query.encode(), "headers": headers})


def test_a_language_asked_for_in_the_address_is_remembered() -> None:
    frame = frame_for(request("token=abc&lang=en"), BRAND)

    page = Pages().page("base.html", frame)

    assert frame.language == "en"
    assert frame.in_language("fr") == "/suivi?token=abc&lang=fr"
    assert "lang=en" in page.headers["set-cookie"]
    assert page.headers["content-language"] == "en"


def test_without_a_choice_no_cookie_is_set() -> None:
    page = Pages().page("base.html", frame_for(request(cookie="lang=en"), BRAND))

    assert page.headers["content-language"] == "en"
    assert "set-cookie" not in page.headers


def test_the_kit_speaks_english_entirely() -> None:
    assert missing_translations([KIT], Catalogue(), "en") == []


def test_a_missing_or_broken_translation_is_named_with_its_place(tmp_path: Path) -> None:
    templates, messages = tmp_path / "templates", tmp_path / "locale/en/LC_MESSAGES"
    templates.mkdir()
    messages.mkdir(parents=True)
    (templates / "a.html").write_text("{{ _('Envoyer') }}\n{{ _('Page %(n)s', n=1) }}{{ _('Fait') }}")
    (messages / "a.po").write_text('msgid "Fait"\nmsgstr "Done"\n\nmsgid "Page %(n)s"\nmsgstr "Page %(m)s"\n')

    found = missing_translations([templates], Catalogue(tmp_path / "locale"), "en")

    assert found == [
        "templates/a.html:1: no translation into en: 'Envoyer'",
        "templates/a.html:2: unknown placeholder in en: 'Page %(n)s'",
    ]


def test_a_service_adds_its_messages_to_those_of_the_kit(tmp_path: Path) -> None:
    messages = tmp_path / "en/LC_MESSAGES"
    messages.mkdir(parents=True)
    (messages / "service.po").write_text('msgid "Voirie"\nmsgstr "Roads"\n')

    english = Catalogue(tmp_path).translations("en")

    assert english.gettext("Voirie") == "Roads"
    assert english.gettext("Jour") == "Day"


def test_zero_is_singular_in_french_and_plural_in_english() -> None:
    sentence = ("Une information est à corriger", "%(num)s informations sont à corriger")

    assert Catalogue().translations("fr").ngettext(*sentence, 0) == sentence[0]
    assert Catalogue().translations("en").ngettext(*sentence, 0).startswith("%(num)s answers")


def test_every_channel_has_its_name() -> None:
    assert set(CHANNEL_NAMES) == set(get_args(Channel))
