"""Problem: what went wrong, for a machine (RFC 9457 problem details) and for a person (a page that says what to do)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

Place = Literal["body", "query", "path", "header", "cookie"]


# gettext's marker: N_("...") is found by the extraction, and translated where it is shown.
N_ = str


@dataclass(frozen=True, kw_only=True)
class FieldProblem:
    """One field that was refused. `field` is a JSON pointer ("/contact/email"); `detail` quotes no input."""

    field: str
    detail: str
    code: str
    place: Place = "body"


@dataclass(frozen=True)
class Texts:
    code: str
    title: str
    detail: str
    remedy: str


class Problem(Exception):  # RFC 9457's word, and the word of the pages
    """Raised by a page or an API route to refuse a request. Texts are French message ids or ready sentences,
    without personal data: they reach logs. What is not given is taken from the table below."""

    def __init__(
        self,
        status: int,
        code: str = "",
        *,
        title: str = "",
        detail: str = "",
        remedy: str = "",
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        error_id: str = "",
    ) -> None:
        usual = usual_texts(status)
        self.status = status
        self.code = code or usual.code
        self.title = title or usual.title
        self.detail = detail or usual.detail
        self.remedy = remedy or usual.remedy
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.error_id = error_id
        super().__init__(f"{status} {self.code}")

    @property
    def type(self) -> str:
        """A URI reference that names the kind of problem."""
        return f"/problems/{self.code}"


def usual_texts(status: int) -> Texts:
    return _TEXTS.get(status) or _TEXTS[HTTPStatus.INTERNAL_SERVER_ERROR if status >= 500 else HTTPStatus.BAD_REQUEST]


_TEXTS: dict[int, Texts] = {
    400: Texts(
        "malformed",
        N_("Nous n’avons pas pu lire votre envoi"),
        N_("Les données reçues sont incomplètes ou dans un codage inattendu."),
        N_("Revenez à la page précédente, vérifiez votre saisie, puis envoyez-la de nouveau."),
    ),
    401: Texts(
        "identification-needed",
        N_("Vous devez vous identifier"),
        N_("Cette page demande de savoir qui vous êtes."),
        N_("Ouvrez le lien complet que vous avez reçu par courriel."),
    ),
    403: Texts(
        "forbidden",
        N_("Ce lien ne donne pas accès à cette page"),
        N_("Le lien est incomplet, ou il a été établi pour une autre personne ou une autre action."),
        N_("Ouvrez le lien complet depuis le message que vous avez reçu, sans le recopier à la main."),
    ),
    404: Texts(
        "not-found",
        N_("Page introuvable"),
        N_("L’adresse ne correspond à aucune page : elle a pu être mal recopiée, ou la page a été retirée."),
        N_("Vérifiez l’adresse, ou repartez de la page d’accueil."),
    ),
    405: Texts(
        "method-not-allowed",
        N_("Cette adresse ne s’utilise pas ainsi"),
        N_("La page a été demandée d’une façon qu’elle n’accepte pas, par exemple en la rechargeant après un envoi."),
        N_("Repartez de la page d’accueil."),
    ),
    406: Texts(
        "not-acceptable",
        N_("Format de réponse non disponible"),
        N_("Le format demandé n’est pas proposé à cette adresse."),
        N_("Demandez l’un des formats documentés."),
    ),
    409: Texts(
        "conflict",
        N_("La situation a changé entre-temps"),
        N_("Votre action ne correspond plus à l’état actuel de la demande."),
        N_("Ouvrez de nouveau la page pour voir où en est la demande."),
    ),
    410: Texts(
        "gone",
        N_("Ce lien n’est plus valable"),
        N_("Il a déjà servi, ou sa durée de validité est dépassée."),
        N_("Utilisez le lien du message le plus récent."),
    ),
    413: Texts(
        "too-large",
        N_("Votre envoi est trop volumineux"),
        N_("Il dépasse la taille acceptée à cette adresse ; rien n’a été enregistré."),
        N_("Raccourcissez votre texte ou réduisez vos fichiers, puis recommencez."),
    ),
    415: Texts(
        "unsupported-media-type",
        N_("Format d’envoi non accepté"),
        N_("Le type de contenu annoncé n’est pas accepté à cette adresse."),
        N_("Utilisez le formulaire du site, ou l’un des formats documentés."),
    ),
    422: Texts(
        "validation",
        N_("Certaines informations sont à corriger"),
        N_("Un ou plusieurs champs sont manquants ou incorrects ; rien n’a été enregistré."),
        N_("Corrigez les champs indiqués, puis recommencez."),
    ),
    429: Texts(
        "too-many-requests",
        N_("Trop d’envois en peu de temps"),
        N_("Pour protéger le service, les envois rapprochés sont limités."),
        N_("Patientez quelques minutes, puis recommencez."),
    ),
    500: Texts(
        "unexpected",
        N_("Une erreur est survenue de notre côté"),
        N_("Votre envoi n’a peut-être pas été enregistré. L’équipe technique est prévenue."),
        N_("Réessayez dans quelques minutes. Si l’erreur persiste, contactez l’accueil en donnant le code ci-dessous."),
    ),
    503: Texts(
        "unavailable",
        N_("Le service est momentanément indisponible"),
        N_("Une opération technique est en cours ; rien n’a été enregistré."),
        N_("Réessayez dans quelques minutes, ou contactez l’accueil par téléphone."),
    ),
}
