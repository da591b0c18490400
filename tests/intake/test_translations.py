"""Every text of intake exists in English."""

from services.intake.site import FOLDER
from shared.pages.catalogue import Catalogue, missing_translations


def test_no_text_is_left_in_french() -> None:
    assert missing_translations([FOLDER], Catalogue(FOLDER / "locale"), "en") == []
