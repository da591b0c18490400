"""P10's figures: medians of the rounds, and one round that is better than the others does not decide."""

from tests.figures.footprint import Round, figures


def test_a_single_round_that_is_good_meets_no_goal() -> None:
    rounds = [
        Round({"intake": memory, "router": 50.0}, {"intake": percent, "router": 0.5}, {"100/s": 20.0, "500/s": trips})
        for memory, percent, trips in ((90.0, 0.6, 2.5), (120.0, 1.2, 3.5), (130.0, 1.3, 4.5))
    ]
    assert [(one.value, one.met) for one in figures(rounds)] == [(120, False), (1.2, False), (3.5, False)]
    assert all(one.met for one in figures(rounds[:1]))
    assert figures(rounds)[2].what.endswith("at 500/s")
