"""Environment: how templates become pages. One Jinja environment per language, built once."""

from functools import partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from shared.pages import formats
from shared.pages.assets import Assets
from shared.pages.brand import Frame
from shared.pages.catalogue import Catalogue
from shared.pages.language import remember_language

KIT_TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE_NAMES = {"fr": "Français", "en": "English", "de": "Deutsch", "es": "Español", "it": "Italiano"}


def build_environment(*folders: Path, catalogue: Catalogue, assets: Assets, language: str) -> Environment:
    """Templates of the service's folders, then the kit's; `kit/base.html` names the kit's own in any case.

    Everything is escaped, an unknown name raises, and the language is fixed: macros need no context for it.
    """
    kit = FileSystemLoader(KIT_TEMPLATES)
    environment = Environment(
        loader=ChoiceLoader([*(FileSystemLoader(folder) for folder in folders), kit, PrefixLoader({"kit": kit})]),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translations = catalogue.translations(language)
    _install_messages(environment, translations)
    environment.globals.update(
        asset=assets.asset,
        theme=assets.theme,
        language_name=lambda code: LANGUAGE_NAMES.get(code, code),
    )
    environment.filters.update(
        local_datetime=partial(_in, formats.local_datetime, language),
        local_date=partial(_in, formats.local_date, language),
        time_tag=partial(_in, formats.time_tag, language),
        duration=partial(formats.duration, language=language),
        working_duration=partial(formats.working_duration, language=language),
        reference=formats.reference,
        nl2br=formats.nl2br,
    )
    return environment


def _install_messages(environment: Environment, translations: NullTranslations) -> None:
    """`_("Page %(number)s", number=2)`, `ngettext(...)` and `{% trans %}`, with messages *and* variables escaped.

    Jinja's own new style trusts the message as markup, so that `_(something dynamic)` would be a hole. Markup in a
    sentence is passed as a variable.
    """

    def translate(message: str, /, **variables: object) -> Markup:
        return _filled(translations.gettext(message), variables)

    def translate_number(singular: str, plural: str, number: int, /, **variables: object) -> Markup:
        return _filled(translations.ngettext(singular, plural, number), {"num": number, **variables})

    environment.install_gettext_callables(translate, translate_number, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    environment.globals.update(gettext=translate, ngettext=translate_number)


def _filled(text: str, variables: dict[str, object]) -> Markup:
    return escape(text) % variables if variables else escape(text.replace("%%", "%"))


class Pages:
    """A service's pages: its templates over the kit's, in every language it has messages for."""

    def __init__(self, *folders: Path, catalogue: Catalogue | None = None, assets: Assets | None = None) -> None:
        self.catalogue = catalogue or Catalogue()
        self.assets = assets or Assets()
        self._folders = folders
        self._environments: dict[str, Environment] = {}

    def environment(self, language: str) -> Environment:
        if language not in self._environments:
            self._environments[language] = build_environment(
                *self._folders, catalogue=self.catalogue, assets=self.assets, language=language
            )
        return self._environments[language]

    def render(self, template: str, frame: Frame, /, **values: Any) -> str:  # Any: whatever the template shows
        return self.environment(frame.language).get_template(template).render(frame=frame, **values)

    def page(
        self,
        template: str,
        frame: Frame,
        /,
        *,
        status_code: int = 200,
        headers: dict[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:  # Any: whatever the template shows
        """The page as an answer; a language chosen in the address is remembered."""
        response = HTMLResponse(self.render(template, frame, **values), status_code=status_code, headers=headers)
        response.headers["Content-Language"] = frame.language
        remember_language(response, frame)
        return response


def _in(format_: Any, language: str, moment: Any, timezone: str) -> Any:  # Any: one binder for three formats
    return format_(moment, timezone, language)
