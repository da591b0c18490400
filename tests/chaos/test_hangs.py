"""Who hangs, how, and that one who is silent for too long is a miss."""

from tests.chaos.hangs import HANGS, figure, waves
from tests.chaos.trial import LONG, SHORT


def test_the_long_form_has_each_service_hang_in_each_way_once() -> None:
    struck = [(hang.what, service) for wave in waves(LONG.waves) for hang, service in wave]
    assert sorted(struck) == sorted((hang.what, service) for hang in HANGS for service in hang.who)


def test_in_a_wave_nobody_is_struck_twice_and_the_short_form_tries_each_way() -> None:
    assert all(len({service for _, service in wave}) == len(wave) for wave in waves(LONG.waves))
    (wave,) = waves(SHORT.waves)
    assert [hang for hang, _ in wave] == list(HANGS)


def test_one_service_that_is_told_too_late_is_a_miss() -> None:
    assert figure("it", {"router": [7.0], "sla": [15.0]}).met
    late = figure("it", {"router": [15.1], "sla": [7.0]})
    assert (late.value, late.met) == (15.1, False)
