"""Every message of the agents' pages has its English, and every code its words."""

from typing import get_args

from services.router import wording
from services.router.domain.life import What, why_not
from services.router.site import FOLDER
from shared.events.handling import Action, Status
from shared.pages.catalogue import Catalogue, missing_translations


def test_nothing_is_left_untranslated() -> None:
    assert missing_translations([FOLDER], Catalogue(FOLDER / "locale"), "en") == []


def test_every_code_has_its_words() -> None:
    assert set(wording.STATUS) == set(wording.STATUS_KIND) == set(get_args(Status))
    assert set(wording.WHAT) == set(get_args(What))
    assert set(wording.ACTION) == {"view", *get_args(Action)}
    assert set(wording.BUTTON) == set(wording.DONE) == set(wording.DONE_OF) == set(get_args(Action))
    refusals = {why_not(status, action) for status in get_args(Status) for action in get_args(Action)} - {None}
    others = {"not_yours", "changed_meanwhile", "no_text", "unknown_service", "already_there", "closed_service"}
    assert refusals | others <= set(wording.REFUSAL)
