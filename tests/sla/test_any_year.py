"""A clock of the past and one of the future: nobody can mistake the machine's time for theirs."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sla.story import HOUR, Story, assigned, received


@pytest.mark.parametrize("year", [1999, 2199])
def test_a_deadline_goes_by_the_instant_that_its_step_is_given(year: int) -> None:
    start = datetime(year, 6, 1, 8, 0, tzinfo=UTC)
    told = {"start_at": start, "warn_at": start + HOUR, "due_at": start + 2 * HOUR}
    story = Story(now=start).read(received(at=start, promise=received().promise.model_copy(update=told)), assigned())

    story.now = start + HOUR - timedelta(microseconds=1)
    assert story.tick("taking_charge", "warn") == []
    story.now = start + HOUR

    assert len(story.tick("taking_charge", "warn")) == 1
