"""How long a loop rests after a batch."""

from shared.delivery.pace import MOST_REST_SECONDS, Pace


def test_a_quick_batch_waits_for_its_pace() -> None:
    pace = Pace(0.010, times=2)
    assert [pace.rest(0.002), pace.rest(0.002)] == [0.008, 0.008]


def test_slow_batches_are_followed_by_a_rest_as_many_times_as_long() -> None:
    pace = Pace(0.010, times=2)
    assert [pace.rest(0.030), pace.rest(0.040)] == [0.0, 0.060]


def test_one_slow_batch_alone_is_not() -> None:
    pace = Pace(0.010, times=2)
    assert [pace.rest(0.004), pace.rest(0.050), pace.rest(0.004)] == [0.006, 0.008, 0.008]


def test_a_rest_has_a_limit() -> None:
    pace = Pace(0.010, times=2)
    pace.rest(30.0)
    assert pace.rest(30.0) == MOST_REST_SECONDS


def test_who_must_not_wait_rests_for_the_pace_alone() -> None:
    pace = Pace(0.004, times=0)
    assert [pace.rest(0.030), pace.rest(0.030), pace.rest(0.001)] == [0, 0, 0.003]
