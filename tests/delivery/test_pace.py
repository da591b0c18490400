"""How long a loop rests after a batch."""

from shared.delivery.pace import MOST_REST_SECONDS, rest


def test_a_quick_batch_waits_for_its_pace() -> None:
    assert rest(0.002, pace=0.010, times=2) == 0.008


def test_a_slow_batch_is_followed_by_a_rest_as_many_times_as_long() -> None:
    assert rest(0.030, pace=0.010, times=2) == 0.060


def test_a_rest_has_a_limit() -> None:
    assert rest(30.0, pace=0.010, times=2) == MOST_REST_SECONDS


def test_who_must_not_wait_rests_for_the_pace_alone() -> None:
    assert rest(0.030, pace=0.004, times=0) == 0
