"""The proof of hostile input is a miss where hardly anything was attacked, whatever went wrong with it: nothing, then."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.fuzz.apis import Fuzzed
from tests.fuzz.fields import FIELDS
from tests.fuzz.mails import Written
from tests.fuzz.matrix import Seen
from tests.fuzz.naughty_strings import COUNT
from tests.fuzz.routes import Walked
from tests.fuzz.tokens import GUESSES
from tests.fuzz.tried import Tried
from tests.proof.hostile import OPERATIONS, figures_of_apis, figures_of_mails, figures_of_records, figures_of_tokens
from tests.proof.report import Figure

_STRINGS: Final = COUNT * (len(FIELDS) + 1)
_FUZZED: Final = Fuzzed(cases=20_000, accepted={f"GET /{number}": 200 for number in range(OPERATIONS)})
_SEEN: Final = Seen(cases=62, parked=51, taken=6, dropped=2)


def missed(figures: Sequence[Figure]) -> list[str]:
    return [figure.what for figure in figures if not figure.met]


def written(*, mails: int) -> Written:
    some: list[Any] = [None] * mails  # Any: what stands for a mail is counted only
    return Written(cases=_STRINGS, mails=some)


def test_what_was_attacked_enough_and_holds_is_met() -> None:
    assert not missed(figures_of_apis(_FUZZED, wanted=20_000))
    assert not missed(figures_of_tokens(Walked(asked=401), Tried(tries=2 * GUESSES + 1)))
    assert not missed(figures_of_records({"intake handling.v1": _SEEN}))
    assert not missed(figures_of_mails(written(mails=_STRINGS), [], every=1))


@pytest.mark.parametrize("accepted", [0, 199])
def test_an_operation_that_refuses_almost_everything_is_a_miss(accepted: int) -> None:
    fuzzed = replace(_FUZZED, accepted=_FUZZED.accepted | {"GET /0": accepted})
    (told,) = missed(figures_of_apis(fuzzed, wanted=20_000))
    assert told == f"operations that accepted fewer than 200 of them (the fewest: {accepted})"


def test_an_operation_that_no_document_names_any_more_is_a_miss() -> None:
    fuzzed = replace(_FUZZED, accepted={"GET /0": 20_000})
    assert missed(figures_of_apis(fuzzed, wanted=20_000)) == ["operations of the APIs"]


def test_the_short_form_asks_each_operation_for_its_share() -> None:
    fuzzed = Fuzzed(cases=2_000, accepted=dict.fromkeys(_FUZZED.accepted, 20))
    assert not missed(figures_of_apis(fuzzed, wanted=2_000))


@pytest.mark.parametrize("mails", [0, _STRINGS - 1])
def test_an_intake_that_refuses_what_mails_are_made_of_is_a_miss(mails: int) -> None:
    assert missed(figures_of_mails(written(mails=mails), [], every=1)) == [f"mails looked at, of {_STRINGS:,} strings"]


@pytest.mark.parametrize("unlike", [{"parked": 50}, {"taken": 5}, {"dropped": 1}])
def test_a_reader_that_met_other_records_is_a_miss(unlike: dict[str, Any]) -> None:
    (figure,) = [one for one in figures_of_records({"a": _SEEN, "b": replace(_SEEN, **unlike)}) if not one.met]
    assert figure.value == 1


def test_few_looks_and_few_tokens_are_a_miss() -> None:
    assert missed(figures_of_tokens(Walked(asked=400), Tried(tries=GUESSES))) == ["looks at routes", "tokens tried"]
