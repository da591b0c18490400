"""What an agent typed into an action page."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.router.domain.life import Life
from shared.actions.link import LinkAction
from shared.organisation import Authority, Service
from shared.pages.problem import N_

MAX_TEXT_CHARACTERS: Final = 10_000
_NEEDS_TEXT: Final = ("ask", "answer")
_CONTROLS: Final = ("Cc", "Cs")


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the form, cleaned: lines end in a line feed, no control character is left."""

    text: str = ""
    target: str = ""

    @classmethod
    def from_form(cls, form: Mapping[str, Any]) -> "Typed":  # Any: a field may be an upload, which is nothing to us
        """Read the fields of a form; what is missing or of another kind counts as empty."""
        text, target = form.get("text"), form.get("target")
        return cls(_clean(text) if isinstance(text, str) else "", target.strip() if isinstance(target, str) else "")

    @property
    def digest(self) -> bytes:
        """Tells whether the same was sent twice."""
        return hashlib.sha256(json.dumps([self.text, self.target]).encode()).digest()

    def errors(self, action: LinkAction, life: Life, authority: Authority, now: datetime) -> dict[str, str]:
        """Return what has to be corrected: field name -> message id, in the order of the page."""
        errors: dict[str, str] = {}
        if action == "transfer" and self.target not in {service.code for service in open_services(life, authority, now)}:
            errors["target"] = N_("Choisissez le service qui doit traiter la demande.")
        if len(self.text) > MAX_TEXT_CHARACTERS:
            errors["text"] = N_("Raccourcissez votre texte : 10 000 caractères au plus.")
        elif action in _NEEDS_TEXT and _is_blank(self.text):
            errors["text"] = N_("Écrivez le texte destiné à l’usager.")
        return errors

    @property
    def text_or_none(self) -> str | None:
        """The text, None when nobody could read anything in it."""
        return None if _is_blank(self.text) else self.text


NOTHING: Final = Typed()


def open_services(life: Life, authority: Authority, now: datetime) -> tuple[Service, ...]:
    """Return the services that a request can be transferred to."""
    others = (service for service in authority.services_public() if service.code != life.owner)
    return tuple(service for service in others if authority.is_open(service.code, now))


def _clean(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = (one for one in lines if one in "\n\t" or unicodedata.category(one) not in _CONTROLS)
    return "".join(kept).strip()


def _is_blank(text: str) -> bool:
    return not any(unicodedata.category(one)[0] in "LNPS" for one in text)
