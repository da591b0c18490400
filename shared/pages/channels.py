"""The names of the channels on every page, French as message ids."""

from collections.abc import Mapping
from typing import Final

from shared.pages.problem import N_

CHANNEL_NAMES: Final[Mapping[str, str]] = {
    "web": N_("Formulaire du site"),
    "email": N_("Courriel"),
    "messenger": N_("Messenger"),
    "instagram": N_("Instagram"),
    "mastodon": N_("Mastodon"),
    "procedure": N_("Démarche en ligne"),
    "app": N_("Application mobile"),
    "phone": N_("Téléphone"),
    "desk": N_("Guichet"),
    "adapter": N_("Autre canal"),
}
