"""The words for the router's codes, French as message ids: every page takes them from here."""

from typing import Final

from services.router.domain.life import What
from shared.actions.link import LinkAction
from shared.events.handling import Action, Status
from shared.pages.problem import N_

STATUS: Final[dict[Status, str]] = {
    "registered": N_("Enregistrée"),
    "assigned": N_("À prendre en charge"),
    "in_charge": N_("Prise en charge"),
    "waiting": N_("En attente de l’usager"),
    "answered": N_("Répondue"),
    "resolved": N_("Résolue"),
    "withdrawn": N_("Retirée par l’usager"),
    "erased": N_("Effacée"),
}

STATUS_KIND: Final[dict[Status, str]] = {
    "registered": "neutral",
    "assigned": "warning",
    "in_charge": "info",
    "waiting": "info",
    "answered": "success",
    "resolved": "success",
    "withdrawn": "neutral",
    "erased": "neutral",
}
"""The kit's kind of tag for each state."""

WHAT: Final[dict[What, str]] = {
    "registered": N_("Demande enregistrée"),
    "assigned": N_("Demande confiée au service"),
    "transferred": N_("Demande transférée"),
    "taken_in_charge": N_("Demande prise en charge"),
    "asked": N_("Question posée à l’usager"),
    "replied": N_("Message de l’usager"),
    "answered": N_("Réponse envoyée à l’usager"),
    "resolved": N_("Demande résolue"),
    "reopened": N_("Demande rouverte par l’usager"),
    "withdrawn": N_("Demande retirée par l’usager"),
    "forgotten": N_("Données personnelles effacées"),
}

REASON: Final[dict[str, str]] = {
    "chosen": N_("L’usager a choisi ce service."),
    "nobody_chose": N_("L’usager n’a pas choisi de service : la demande va à l’accueil."),
    "unknown_service": N_("Le service demandé n’existe pas ou plus : la demande va à l’accueil."),
    "closed_service": N_("Le service demandé est fermé en ce moment : la demande va à l’accueil."),
    "agent": N_("Un agent l’a transférée."),
}
"""Why a service owns a request."""

ACTION: Final[dict[LinkAction, str]] = {
    "view": N_("Consulter la demande"),
    "take_charge": N_("Prendre en charge la demande"),
    "ask": N_("Poser une question à l’usager"),
    "answer": N_("Répondre à l’usager"),
    "transfer": N_("Transférer à un autre service"),
    "resolve": N_("Clore la demande comme résolue"),
}

BUTTON: Final[dict[Action, str]] = {
    "take_charge": N_("Prendre en charge"),
    "ask": N_("Envoyer la question"),
    "answer": N_("Envoyer la réponse"),
    "transfer": N_("Transférer"),
    "resolve": N_("Clore la demande"),
}

DONE: Final[dict[Action, str]] = {
    "take_charge": N_("Vous avez pris la demande en charge"),
    "ask": N_("Votre question est enregistrée"),
    "answer": N_("Votre réponse est enregistrée"),
    "transfer": N_("La demande est transférée"),
    "resolve": N_("La demande est close"),
}

DONE_OF: Final[dict[Action, What]] = {
    "take_charge": "taken_in_charge",
    "ask": "asked",
    "answer": "answered",
    "transfer": "transferred",
    "resolve": "resolved",
}
"""What an action leaves in the history."""

REFUSAL: Final[dict[str, str]] = {
    "already_in_charge": N_("La demande est déjà prise en charge."),
    "already_answered": N_("Une réponse est déjà partie."),
    "already_open": N_("La demande est déjà ouverte."),
    "already_resolved": N_("La demande est déjà close."),
    "already_withdrawn": N_("L’usager a déjà retiré sa demande."),
    "already_there": N_("La demande est déjà dans ce service."),
    "registered": N_("La demande n’est encore confiée à aucun service."),
    "resolved": N_("La demande est close : elle a été résolue."),
    "withdrawn": N_("L’usager a retiré sa demande : il n’attend plus de réponse."),
    "erased": N_("Les données personnelles de cette demande sont effacées : elle ne peut plus être traitée."),
    "not_yours": N_("La demande n’est plus à votre service."),
    "changed_meanwhile": N_("La demande a changé depuis le message que vous avez suivi."),
    "no_text": N_("Il manque le texte pour l’usager."),
    "unknown_service": N_("Ce service n’existe pas ou plus."),
    "closed_service": N_("Ce service est fermé en ce moment."),
}
"""Why an action is refused."""
