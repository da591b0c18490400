"""Validation: what pydantic refused, as fields named by JSON pointers, in the reader's words, without their input."""

import gettext
from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from shared.pages.problem import N_, FieldProblem, Place

_MESSAGES = {
    "missing": N_("Ce champ est obligatoire."),
    "string_type": N_("Un texte est attendu."),
    "string_too_short": N_("Texte trop court : {min_length} caractères au moins."),
    "string_too_long": N_("Texte trop long : {max_length} caractères au plus."),
    "string_pattern_mismatch": N_("Le format n’est pas celui attendu."),
    "int_type": N_("Un nombre entier est attendu."),
    "int_parsing": N_("Un nombre entier est attendu."),
    "float_type": N_("Un nombre est attendu."),
    "float_parsing": N_("Un nombre est attendu."),
    "bool_type": N_("La valeur doit être vrai ou faux."),
    "bool_parsing": N_("La valeur doit être vrai ou faux."),
    "greater_than": N_("La valeur doit dépasser {gt}."),
    "greater_than_equal": N_("La valeur doit être d’au moins {ge}."),
    "less_than": N_("La valeur doit rester sous {lt}."),
    "less_than_equal": N_("La valeur doit être d’au plus {le}."),
    "enum": N_("Valeurs possibles : {expected}."),
    "literal_error": N_("Valeurs possibles : {expected}."),
    "extra_forbidden": N_("Ce champ n’existe pas."),
    "too_short": N_("Il en faut au moins {min_length}."),
    "too_long": N_("Il en faut au plus {max_length}."),
    "json_invalid": N_("Le JSON n’est pas bien formé."),
    "datetime_from_date_parsing": N_("Une date avec heure (RFC 3339) est attendue."),
    "datetime_parsing": N_("Une date avec heure (RFC 3339) est attendue."),
    "timezone_aware": N_("Le décalage horaire est obligatoire dans la date."),
    "date_from_datetime_parsing": N_("Une date (AAAA-MM-JJ) est attendue."),
    "date_parsing": N_("Une date (AAAA-MM-JJ) est attendue."),
    "uuid_parsing": N_("Un identifiant UUID est attendu."),
    "dict_type": N_("Un objet JSON est attendu."),
    "model_attributes_type": N_("Un objet JSON est attendu."),
    "model_type": N_("Un objet JSON est attendu."),
    "list_type": N_("Une liste est attendue."),
}
_OTHER = N_("La valeur n’est pas acceptée.")


def field_problems(
    errors: Iterable[Mapping[str, Any]], translations: gettext.NullTranslations
) -> tuple[FieldProblem, ...]:  # Any: pydantic's error dictionaries
    """From `RequestValidationError.errors()`, whose `loc` begins with the place."""
    return tuple(_field_problem(error, translations) for error in errors)


def _field_problem(error: Mapping[str, Any], translations: gettext.NullTranslations) -> FieldProblem:
    place, *path = error["loc"] or ("body",)
    code = str(error["type"])
    if code == "json_invalid":  # here pydantic's path is an offset in the text
        path = []
    known = cast(Place, place if place in get_args(Place) else "body")  # one of the literals, just checked
    return FieldProblem(field=_pointer(path), place=known, code=code, detail=_detail(code, error, translations))


def _detail(code: str, error: Mapping[str, Any], translations: gettext.NullTranslations) -> str:
    if code == "value_error":  # raised by our own validators, whose texts quote no input
        return translations.gettext(str(error["msg"]).removeprefix("Value error, "))
    template = translations.gettext(_MESSAGES.get(code, _OTHER))
    return template.format_map(error.get("ctx") or {}) if "{" in template else template


def _pointer(path: Iterable[object]) -> str:
    """RFC 6901; the empty pointer is the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
