"""What comes in, before anything is kept: cleaned, judged, sealed."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.validation import clean_line, clean_text
from services.intake.rate_limit import RateLimit
from services.intake.submission import Acceptance, Invalid
from services.intake.tokens import Tokens, looks_like_token, token_digest
from shared.clock import SetClock
from shared.events.content import Content
from shared.events.envelope import Undecodable, decode
from shared.events.inbound import Submission
from shared.identifiers import RequestIds
from shared.organisation import OrganisationSource
from shared.vault.seal import Vault
from tests.intake.conftest import KEYS, NOON, ORGANISATION

VAULT = Vault.from_text(KEYS)
ACCEPTANCE = Acceptance(organisation=OrganisationSource(ORGANISATION), clock=SetClock(NOON), vault=VAULT)


def told(**changes: Any) -> dict[str, Any]:
    about = {"authority": "rivemont", "service": "etat-civil", "email": "s@courriel.example", "text": "Bonjour"}
    return about | changes


def event(**changes: Any) -> Any:
    headers = {
        "ce_specversion": b"1.0",
        "ce_type": b"fr.aiguilleur.request.submitted.v1",
        "ce_source": b"/adapter",
        "ce_id": b"1",
    }
    return decode("intake.inbound.v1", headers, json.dumps(told(**changes)).encode())


def test_the_content_opens_under_the_key_that_is_stored_along() -> None:
    one = ACCEPTANCE.input_for(Submission(**told(name="Solène Vautrin")))

    ((_, (request_id, authority, wrapped)),) = one.rows
    content = VAULT.unwrap(request_id, wrapped).open(request_id, one.event.sealed, Content)
    assert (request_id, authority) == (one.request_id, "rivemont")
    assert (content.name, content.text) == ("Solène Vautrin", "Bonjour")
    assert token_digest(content.tracking_token) == one.event.token_digest


@given(st.text())
def test_a_cleaned_line_cannot_begin_a_header(text: str) -> None:
    line = clean_line(text)

    assert not set(line) & set("\r\n\x00\x0b\x0c\x85\u2028\u2029")
    line.encode()
    assert clean_line(line) == line


@given(st.text(st.characters()))
def test_a_cleaned_text_can_be_stored_and_stays(text: str) -> None:
    cleaned = clean_text(text)

    assert "\x00" not in cleaned and "\r" not in cleaned
    cleaned.encode()
    assert clean_text(cleaned) == cleaned


def test_lines_of_a_text_are_kept() -> None:
    assert clean_text("un\r\ndeux\rtrois\n\tquatre\x07") == "un\ndeux\ntrois\n\tquatre"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"authority": "atlantide"}, "authority: unknown (allowed: rivemont, saint-aubrin)"),
        ({"category": "bruit"}, "category: not of service (allowed: "),
        ({"category": "acte", "answers": {"date": "2000-01-01"}}, "answers.type: missing"),
        ({"category": "acte", "answers": {"type": "divorce", "date": "2000-01-01"}}, "(allowed: naissance, mariage, deces)"),
        ({"category": "acte", "answers": {"type": "deces", "date": "2000-02-30"}}, "answers.date: no date"),
        ({"answers": {"type": "deces"}}, "answers: no category"),
    ],
)
def test_an_event_that_cannot_be_taken_says_why(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Undecodable) as refused:
        ACCEPTANCE.admit(event(**changes))

    assert reason in str(refused.value)


def test_a_reason_repeats_nothing_that_was_sent() -> None:
    with pytest.raises(Undecodable) as refused:
        ACCEPTANCE.admit(event(category="acte", text="Polichinelle", answers={"polichinelle": "x", "type": "polichinelle"}))

    assert "olichinelle" not in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        ACCEPTANCE.input_for(Submission(**told(category="acte", text="\u0007 ")))

    assert [fault.pointer for fault in refused.value.faults] == ["/text", "/answers/type", "/answers/date"]


def test_tokens_differ_and_survive_a_change_of_keys() -> None:
    request_id = uuid.UUID(int=1)
    before = Tokens(VAULT)
    after = Tokens(Vault.from_text("2:" + "B" * 43 + "=," + KEYS))

    token = before.token(request_id)

    assert looks_like_token(token)
    assert token != after.token(request_id) != before.token(uuid.UUID(int=2))
    assert after.token_of(request_id, token_digest(token)) == token


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=50))
def test_ids_grow_whatever_the_clock_does(moves: list[int]) -> None:
    clock = SetClock(NOON)
    ids = RequestIds(clock)
    made = []
    for milliseconds in moves:
        clock.move(timedelta(milliseconds=milliseconds))
        made += [ids.new() for _ in range(3)]

    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}


def test_a_full_millisecond_borrows_from_the_next() -> None:
    ids = RequestIds(SetClock(NOON))
    made = [ids.new() for _ in range(5_000)]

    assert made == sorted(set(made))
    assert (made[0].int >> 80) == int(NOON.timestamp() * 1000)


def test_who_sends_too_much_waits_and_the_others_do_not() -> None:
    seconds = 0.0
    limit = RateLimit(2, lambda: seconds)

    assert [limit.wait_seconds("192.0.2.1") for _ in range(3)] == [0, 0, 31]
    assert limit.wait_seconds("192.0.2.2") == 0
    seconds = 31.0
    assert limit.wait_seconds("192.0.2.1") == 0
