"""Why what a usager asks for is not done."""

from typing import Final

from shared.pages.problem import N_

REASONS: Final = {
    "unknown": N_("Cette demande n’existe pas."),
    "known_already": N_("Cette demande est déjà enregistrée."),
    "erased": N_("Les données de cette demande ont été effacées : elle ne peut plus changer."),
    "withdrawn": N_("Cette demande a été retirée : elle ne peut plus changer. Vous pouvez en faire une nouvelle."),
    "resolved": N_("Cette demande est close. Si la réponse ne convient pas, demandez sa réouverture."),
    "not_settled": N_("Cette demande n’est pas close : il n’y a rien à rouvrir. Vous pouvez ajouter une information."),
    "withdrawal_pending": N_("Le retrait de cette demande est déjà demandé."),
    "reopening_pending": N_("La réouverture de cette demande est déjà demandée."),
    "too_many": N_("Cette demande a déjà reçu beaucoup de messages. Appelez le service en charge."),
}


class Refused(Exception):
    """The state of the request does not allow it. The text is for the usager; `why` is its code. Nothing changed."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(REASONS[why])
