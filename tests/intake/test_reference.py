"""References: every slip of the pen is noticed."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.reference import ALPHABET, new_reference, parse_reference

REFERENCES = st.builds(new_reference)
PLACES = [0, 1, 2, 4, 5, 6, 8, 9, 10]


@given(REFERENCES)
def test_a_reference_is_its_own_reading(reference: str) -> None:
    assert parse_reference(reference) == reference


@given(REFERENCES, st.sampled_from(PLACES), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(reference: str, place: int, character: str) -> None:
    wrong = reference[:place] + character + reference[place + 1 :]

    assert (parse_reference(wrong) is None) == (wrong != reference)


@given(REFERENCES, st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_two_swapped_characters_are_noticed(reference: str, first: int, second: int) -> None:
    swapped = list(reference)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    wrong = "".join(swapped)

    assert (parse_reference(wrong) is None) == (wrong != reference)


@given(REFERENCES)
def test_typing_as_one_likes_is_understood(reference: str) -> None:
    typed = reference.lower().replace("-", " ").replace("0", "o").replace("1", "l").replace("5", "s").replace("v", "u")

    assert parse_reference(f"  {typed} ") == reference
    assert parse_reference(reference.replace("-", "\u2013")) == reference


@given(st.text())
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert parse_reference(text) in (None, parse_reference(text))
