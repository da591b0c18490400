"""Posts of which nobody knows what became: each is there once at most, and excuses no other request."""

from uuid import UUID

import pytest

from tests.judge.evidence import Evidence
from tests.judge.existence import missing_requests
from tests.judge.spoiling import add_row, alter
from tests.judge.story import Story


def _town_with_ghosts(*marks: str, without_key: int = 0, with_key: int = 0) -> tuple[Story, Evidence]:
    """Return a town where posts of these marks were given up, and some requests are there of which nobody was told.

    without_key: how many of them asked for the service "inconnu-7". with_key: how many have a key each, "key-0" and so on.
    """
    story = Story()
    evidence = story.evidence()
    ghosts: list[UUID] = [story.untouched, story.resolved, story.worked]
    for number, one in enumerate(ghosts[: without_key + with_key]):
        story.history.accepted.discard(one)
        if number < without_key:
            alter(evidence, "requests.v1", one, "received", service="inconnu-7")
        else:
            add_row(evidence, "intake.inbox", source="api/rivemont", id=f"key-{number - without_key}", request_id=one)
    for mark in marks:
        story.history.give_up(mark)
    return story, evidence


@pytest.mark.parametrize(("without_key", "with_key"), [(0, 0), (1, 0), (0, 1), (1, 2)])
def test_an_unknown_outcome_exists_once_or_not_at_all(without_key: int, with_key: int) -> None:
    story, evidence = _town_with_ghosts("inconnu-7", "key-0", "key-1", without_key=without_key, with_key=with_key)
    assert list(missing_requests(evidence, story.history)) == []


def test_a_post_without_a_key_that_is_there_twice_is_found_although_others_are_not_there_at_all() -> None:
    story, evidence = _town_with_ghosts("inconnu-7", "key-0", "key-1", without_key=2)
    assert list(missing_requests(evidence, story.history)) == ["1 twice: a post of unknown outcome, inconnu-7, is there 2 times"]


def test_a_request_nobody_was_told_of_is_not_that_of_a_post_whose_key_is_known() -> None:
    story, evidence = _town_with_ghosts("another-key", with_key=1)
    (found,) = missing_requests(evidence, story.history)
    assert found.startswith("1 ghosts: 1 requests nobody was told of, 0 outcomes unknown")
    story.history.unknown += 1  # one more post without an answer, of which no mark is known
    assert list(missing_requests(evidence, story.history)) == []
