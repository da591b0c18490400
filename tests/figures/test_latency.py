"""The count of P2: a request that reaches no agent, and a mail that comes twice, are seen."""

from tests.figures.latency import Watch, figures


def _watch() -> Watch:
    watch = Watch()
    for number in range(3):
        watch.heard(10.0 + number, b'{"request_id": "%d"}' % number)
    watch.arrived("assignment.2.0", 10.5)
    watch.arrived("assignment.2.1", 11.25)
    watch.arrived("receipt.2", 12.1)
    return watch


def _count(watch: Watch, took: list[float]) -> tuple[float, bool]:
    last = figures({20: [took], 500: [took]}, watch)[-1]
    return last.value, last.met


def test_all_that_reached_their_agent_once_are_no_miss() -> None:
    watch = _watch()
    watch.arrived("assignment.2.2", 12.125)
    assert not watch.waits()
    took = watch.take(now=99.0)
    assert took == [125, 250, 500]
    assert _count(watch, took) == (0, True)


def test_a_request_that_reaches_no_agent_is_counted_and_has_waited() -> None:
    watch = _watch()
    assert watch.waits()
    took = watch.take(now=72.0)
    assert took == [250, 500, 60_000]
    assert _count(watch, took) == (1, False)


def test_a_mail_that_comes_again_in_a_later_round_is_counted() -> None:
    watch = _watch()
    watch.arrived("assignment.2.2", 12.125)
    took = watch.take(now=99.0)
    watch.arrived("assignment.2.0", 100.0)
    assert _count(watch, took) == (1, False)
