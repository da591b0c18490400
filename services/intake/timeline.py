"""The history in words."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from services.intake.domain.request import Status, What
from services.intake.site import Site
from services.intake.tracking import Line, Tracked
from shared.pages.brand import Frame
from shared.pages.formats import nl2br, time_tag
from shared.pages.problem import N_

STATUSES: Final[dict[Status, tuple[str, str]]] = {
    "received": (N_("Reçue"), "info"),
    "registered": (N_("Enregistrée"), "info"),
    "assigned": (N_("Confiée à un service"), "info"),
    "in_charge": (N_("Prise en charge"), "info"),
    "waiting": (N_("En attente de votre réponse"), "warning"),
    "answered": (N_("Répondue"), "success"),
    "resolved": (N_("Close"), "success"),
    "withdrawn": (N_("Retirée"), "neutral"),
    "erased": (N_("Effacée"), "neutral"),
}
"""Each state: how it is called, and the kind of its tag."""

_TITLES: Final[dict[What, str]] = {
    "received": N_("Demande reçue"),
    "added": N_("Vous avez ajouté un message"),
    "withdrawal_asked": N_("Vous avez demandé le retrait"),
    "reopening_asked": N_("Vous avez demandé la réouverture"),
    "assigned": N_("Confiée à : %(service)s"),
    "transferred": N_("Transmise à : %(service)s"),
    "taken_in_charge": N_("Prise en charge par : %(service)s"),
    "asked": N_("Le service vous pose une question"),
    "replied": N_("Votre réponse est arrivée"),
    "answered": N_("Le service vous a répondu"),
    "resolved": N_("Demande close par le service"),
    "reopened": N_("Demande rouverte"),
    "withdrawn": N_("Demande retirée"),
    "forgotten": N_("Données effacées"),
    "refused": N_("Cela n’a pas été possible dans l’état de la demande"),
    "missed": N_("Le délai annoncé est dépassé"),
    "escalated": N_("Le retard a été signalé"),
}
_NOTES: Final = {
    "unknown_service": N_("Le service choisi n’existe pas ou plus : l’accueil prend la demande."),
    "closed_service": N_("Le service choisi est fermé : l’accueil prend la demande."),
    "nobody_chose": N_("Aucun service n’était choisi : l’accueil prend la demande."),
    "service": N_("Le service a été prévenu."),
    "cover": N_("La suppléance du service a été prévenue."),
    "head_of_service": N_("La direction du service a été prévenue."),
    "general_management": N_("La direction générale a été prévenue."),
    "withdraw": N_("La demande n’a pas pu être retirée."),
    "reopen": N_("La demande n’a pas pu être rouverte."),
}
_ERASED_TEXT: Final = N_("Texte effacé")
_WITH_TEXT: Final = frozenset({"added", "reopening_asked", "asked", "answered"})


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry as the page kit's timeline shows it."""

    title: str
    state: str
    when: Markup
    text: Markup | str


def timeline(site: Site, frame: Frame, tracked: Tracked) -> list[TimelineEntry]:
    """Return the history, the oldest first; the last entry is where the request stands."""
    entries = [_entry(site, frame, tracked, line) for line in tracked.lines]
    closed = tracked.state.status in ("resolved", "withdrawn", "erased")
    if entries and not closed and entries[-1].state == "done":
        last = entries[-1]
        entries[-1] = TimelineEntry(last.title, "current", last.when, last.text)
    return entries


def _entry(site: Site, frame: Frame, tracked: Tracked, line: Line) -> TimelineEntry:
    authority = tracked.authority
    found = authority.find_service(line.service)
    name = found.full_name if found else line.service or authority.front_desk_service.full_name
    title = site.say(frame, _TITLES[line.what], service=name)
    when = time_tag(line.at, authority.settings.timezone, frame.language)
    note = site.say(frame, _NOTES[line.note]) if line.note in _NOTES else ""
    text: Markup | str = Markup("<p>{}</p>").format(note) if note else ""
    if line.text:
        text += Markup("<blockquote>{}</blockquote>").format(nl2br(line.text))
    elif line.what in _WITH_TEXT:
        text += Markup("<p><em>{}</em></p>").format(site.say(frame, _ERASED_TEXT))
    return TimelineEntry(title, "late" if line.what in ("missed", "escalated") else "done", when, text)
