"""What the templates of the kit promise to every page: escaping, labels, errors that lead to their field."""

import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from shared.pages.brand import Brand, Frame, Link
from shared.pages.environment import Pages

BRAND = Brand(code="rives", name="Ville de Rives", short_name="Rives", languages=("fr", "en"), home_url="/accueil")
HOSTILE = """"><script>alert('x')</script>{{ 7 * 7 }}"""
FIELDS = {
    "text_input": "fields.text_input('f', l, value=v, hint=h, error=e)",
    "email_input": "fields.email_input('f', l, value=v, hint=h, error=e)",
    "phone_input": "fields.phone_input('f', l, value=v, hint=h, error=e)",
    "number": "fields.number('f', l, value=v, hint=h, error=e)",
    "textarea": "fields.textarea('f', l, value=v, hint=h, error=e)",
    "select": "fields.select('f', l, [(v, l)], value=v, hint=h, error=e)",
    "radios": "fields.radios('f', l, [(v, l, h)], value=v, hint=h, error=e)",
    "checkboxes": "fields.checkboxes('f', l, [(v, l, h)], values=[v], hint=h, error=e)",
    "checkbox": "fields.checkbox('f', l, value=v, hint=h, error=e)",
    "date": "fields.date('f', l, value={'day': v, 'month': v, 'year': v}, hint=h, error=e)",
    "file_input": "fields.file_input('f', l, hint=h, error=e)",
}


def frame(language: str = "fr", path: str = "/") -> Frame:
    return Frame(brand=BRAND, language=language, path=path)


def render(source: str, language: str = "fr", **values: object) -> str:
    prefix = "{% import 'fields.html' as fields %}{% import 'components.html' as components %}"
    return Pages().environment(language).from_string(prefix + source).render(**values)


@pytest.mark.parametrize("call", FIELDS.values(), ids=FIELDS)
def test_a_field_escapes_whatever_is_put_into_it(call: str) -> None:
    page = render(f"{{{{ {call} }}}}", v=HOSTILE, l=HOSTILE, h=HOSTILE, e=HOSTILE)

    assert "<script" not in page
    assert "{{ 7 * 7 }}" in page


@pytest.mark.parametrize("call", FIELDS.values(), ids=FIELDS)
def test_a_field_is_tied_to_its_label_hint_and_error(call: str) -> None:
    page = render(f"{{{{ {call} }}}}", v="v", l="Libellé", h="Aide", e="À corriger")

    assert 'id="field-f"' in page
    assert 'for="field-f"' in page
    assert 'aria-describedby="field-f-hint field-f-error"' in page
    assert 'id="field-f-hint"' in page
    assert 'id="field-f-error"' in page
    assert re.findall(r' id="([^"]*)"', page) == list(dict.fromkeys(re.findall(r' id="([^"]*)"', page)))


def test_an_optional_field_says_so_and_a_required_one_is_required() -> None:
    optional = render("{{ fields.text_input('f', 'Nom', required=false) }}")
    required = render("{{ fields.text_input('f', 'Nom') }}")

    assert "(facultatif)" in optional
    assert " required" not in optional
    assert " required" in required
    assert "(optional)" in render("{{ fields.text_input('f', 'Nom', required=false) }}", language="en")


def test_what_was_typed_comes_back_with_its_first_line_break() -> None:
    page = render("{{ fields.textarea('f', 'Texte', value=v) }}", v="\nDeuxième ligne")

    assert ">\n\nDeuxième ligne</textarea>" in page


def test_the_error_summary_leads_to_each_field_and_takes_the_focus() -> None:
    page = render("{{ fields.error_summary(errors) }}", errors={"email": "Vérifiez <l’adresse>", "text": "Écrivez"})

    assert "2 informations sont à corriger" in page
    assert '<a href="#field-email">Vérifiez &lt;l’adresse&gt;</a>' in page
    assert 'tabindex="-1" autofocus' in page


@pytest.mark.parametrize("language, expected", [("fr", "Une information est"), ("en", "One answer needs")])
def test_the_error_summary_counts_in_the_language_of_the_page(language: str, expected: str) -> None:
    assert expected in render("{{ fields.error_summary({'a': 'b'}) }}", language=language)


def test_without_errors_there_is_no_summary() -> None:
    assert "error-summary" not in render("{{ fields.error_summary({}) }}")


def test_the_honeypot_is_kept_from_keyboard_and_screen_reader() -> None:
    page = render("{{ fields.honeypot() }}")

    assert 'aria-hidden="true"' in page
    assert 'tabindex="-1"' in page
    assert 'name="website"' in page


def test_a_message_that_is_not_a_literal_is_escaped() -> None:
    """Jinja's own `_()` would trust it as markup."""
    assert "<b>" not in render("{{ _(message) }}", message="<b>100 %</b>")
    assert "<b>" not in render("{% trans name=name %}Bonjour {{ name }}{% endtrans %}", name="<b>")


def test_text_of_a_usager_keeps_its_lines_and_nothing_else() -> None:
    page = render("{{ components.quoted_text(text) }}", text="Bonjour\r\n<img src=x onerror=y>")

    assert "Bonjour<br>\n&lt;img src=x onerror=y&gt;" in page


def test_a_table_has_a_caption_and_scoped_headers() -> None:
    page = render("{{ components.table('Volumes', ['Service', 'Reçues'], [['Voirie', 12]], numeric=[1]) }}")

    assert "<caption>Volumes</caption>" in page
    assert '<th scope="col" class="number">Reçues</th>' in page
    assert '<th scope="row">Voirie</th>' in page


def test_an_empty_table_says_so() -> None:
    assert "Aucune donnée." in render("{{ components.table('Volumes', ['Service'], []) }}")


def test_a_state_of_the_timeline_is_said_in_words() -> None:
    entries = [{"title": "Reçue", "state": "done", "when": "", "text": ""}]

    assert "(terminé)" in render("{{ components.timeline(entries) }}", entries=entries)


def test_an_unknown_name_in_a_template_raises() -> None:
    with pytest.raises(UndefinedError):
        render("{{ nobody_passed_this }}")


def test_the_frame_names_the_authority_and_offers_the_other_language(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{% extends 'base.html' %}{% block title %}Suivi{% endblock %}")
    pages = Pages(tmp_path)

    page = pages.render("page.html", frame(path="/suivi?code=a%26b"))

    assert '<html lang="fr">' in page
    assert "<title>Suivi – Ville de Rives</title>" in page
    assert 'href="/suivi?code=a%26b&amp;lang=en" lang="en"' in page
    assert 'href="#content"' in page
    assert '<main id="content"' in page


def test_a_page_with_errors_says_so_in_its_title(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{% extends 'base.html' %}{% block title %}Écrire{% endblock %}")

    page = Pages(tmp_path).render("page.html", frame(), errors={"a": "b"})

    assert "<title>Erreur : Écrire – " in page


def test_a_service_may_replace_a_template_and_still_build_on_the_kits_own(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("{% extends 'kit/base.html' %}{% block content %}À nous{% endblock %}")

    page = Pages(tmp_path).render("base.html", frame())

    assert "À nous" in page
    assert "<!doctype html>" in page


def test_no_page_carries_an_inline_style_or_script() -> None:
    for template in sorted((Path(__file__).parents[2] / "shared/pages").rglob("*.html")):
        source = template.read_text()
        assert not re.search(r"\sstyle=|<style|<script(?!>alert)|\son\w+=", source), template


@pytest.mark.parametrize(
    "short_name, initials",
    [("Saint-Aubin", "SA"), ("Ville de Rives", "VR"), ("L’Île-d’Yeu", "ÎY"), ("Ô", "Ô")],
)
def test_the_monogram(short_name: str, initials: str) -> None:
    assert Brand(code="x", name="X", short_name=short_name).initials == initials


@pytest.mark.parametrize("wrong", [{"code": "../x"}, {"colour": "red;}"}, {"languages": ()}])
def test_a_brand_that_cannot_be_shown_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="brand"):
        Brand(**{"code": "x", "name": "X", "short_name": "X", **wrong})


def test_a_link_is_escaped_in_the_footer() -> None:
    brand = Brand(code="x", name="<X>", short_name="X", legal_links=(Link(label="<i>", href='/a"b'),))
    template = Pages().environment("fr").get_template("base.html")

    page = template.render(frame=Frame(brand=brand, language="fr"))

    assert "<i>" not in page
    assert "<X>" not in page
    assert '/a"b' not in page
