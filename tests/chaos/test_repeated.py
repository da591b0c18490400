"""R2's figure of an orderly restart: a mail that came twice is seen, and that none came at all."""

from tests.chaos.resilience import repeated


def test_a_mail_that_came_twice_is_a_miss_and_so_is_a_run_in_which_none_came() -> None:
    assert repeated([{"message_id": "a"}, {"message_id": "b"}]).met
    assert not repeated([{"message_id": "a"}, {"message_id": "a"}]).met
    assert not repeated([]).met
