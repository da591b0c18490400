"""Signed links: nothing but what was minted is ever read."""

import base64
import os
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.actions.link import ExpiredLink, InvalidLink, Link, LinkAction, Links
from shared.events.handling import Action

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LINKS = Links(bytes(range(32)))
ACTIONS: tuple[LinkAction, ...] = ("view", *get_args(Action))

agents = some.emails().filter(lambda address: len(address.encode()) <= 254)
any_link = some.builds(
    Link,
    request_id=some.uuids(),
    authority=some.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
    action=some.sampled_from(ACTIONS),
    version=some.integers(0, 2**32 - 1),
    agent=agents | some.text(some.characters(codec="utf-8"), min_size=1, max_size=60),
    expires_at=some.integers(1, 86_400 * 30).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)


def a_link(agent: str = "voirie@rivemont.example", authority: str = "rivemont") -> Link:
    end = NOW + timedelta(days=7)
    return Link(request_id=UUID(int=1), authority=authority, action="answer", version=3, agent=agent, expires_at=end)


@given(any_link)
def test_what_was_minted_is_read_back(link: Link) -> None:
    assert LINKS.read(LINKS.mint(link), NOW) == link


@given(any_link)
def test_the_same_link_gives_the_same_token_fit_for_a_url(link: Link) -> None:
    token = LINKS.mint(link)

    assert token == LINKS.mint(link)
    assert set(token) <= set(ALPHABET)
    if len(link.agent) > 5:  # fewer characters are found anywhere
        assert link.agent not in token
        assert link.agent.encode() not in base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


@given(any_link, some.data())
def test_an_altered_character_is_no_link(link: Link, data: some.DataObject) -> None:
    token = LINKS.mint(link)
    place = data.draw(some.integers(0, len(token) - 1))
    other = data.draw(some.characters(exclude_characters=token[place]) | some.sampled_from(ALPHABET.replace(token[place], "")))

    with pytest.raises(InvalidLink):
        LINKS.read(token[:place] + other + token[place + 1 :], NOW)


def test_every_other_last_character_is_no_link() -> None:
    """Base64 has bits to spare at its end: they must not make a second spelling of the same link."""
    for agent in ("a@b.fr", "aaaaaaaa@b.fr", "voirie-et-reseaux-divers@rivemont.example"):
        token = LINKS.mint(a_link(agent))
        for other in ALPHABET.replace(token[-1], ""):
            with pytest.raises(InvalidLink):
                LINKS.read(token[:-1] + other, NOW)


@given(any_link, some.data())
def test_a_shorter_longer_or_mixed_token_is_no_link(link: Link, data: some.DataObject) -> None:
    token = LINKS.mint(link)
    place = data.draw(some.integers(0, len(token) - 1))
    extra = data.draw(some.text(min_size=1, max_size=8))

    for wrong in (token[:place], token + extra, extra + token, token[:place] + extra + token[place:], token + "=", token + "\n"):
        with pytest.raises(InvalidLink):
            LINKS.read(wrong, NOW)


@given(some.text() | some.text(ALPHABET, max_size=700))
def test_a_guess_is_no_link(guess: str) -> None:
    with pytest.raises(InvalidLink):
        LINKS.read(guess, NOW)


@given(any_link)
def test_a_token_of_another_secret_is_no_link(link: Link) -> None:
    with pytest.raises(InvalidLink):
        LINKS.read(Links(bytes(32)).mint(link), NOW)


@given(any_link)
def test_a_link_ends_on_its_second(link: Link) -> None:
    token = LINKS.mint(link)

    assert LINKS.read(token, link.expires_at - timedelta(microseconds=1)) == link
    with pytest.raises(ExpiredLink) as error:
        LINKS.read(token, link.expires_at)
    assert error.value.link == link


@given(any_link, any_link)
def test_two_links_never_share_a_token(one: Link, other: Link) -> None:
    assert (LINKS.mint(one) == LINKS.mint(other)) == (one == other)


def test_the_authority_is_part_of_what_is_protected() -> None:
    ours, theirs = LINKS.mint(a_link(authority="rivemont")), LINKS.mint(a_link(authority="rivemont2"))

    assert ours != theirs
    assert LINKS.read(ours, NOW).authority == "rivemont"


def test_the_length_tells_little_of_the_agent() -> None:
    lengths = {len(LINKS.mint(a_link(agent=f"{'a' * size}@rivemont.example"))) for size in range(1, 64)}

    assert lengths == {150, 214}
    assert len(LINKS.mint(a_link(agent="a" * 254, authority="a" * 64))) <= 600


@pytest.mark.parametrize("text", ["", "abc", "não", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()])
def test_a_bad_secret_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="secret of the links") as error:
        Links.from_text(text)

    assert not text or text not in str(error.value)


def test_a_secret_is_read_from_base64() -> None:
    secret = os.urandom(32)

    link = a_link()
    assert Links.from_text(f" {base64.b64encode(secret).decode()}\n").read(Links(secret).mint(link), NOW) == link


@pytest.mark.parametrize("wrong", [{"agent": ""}, {"agent": "a" * 255}, {"authority": ""}, {"authority": "a" * 65}])
def test_what_no_link_can_hold_is_refused_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a link needs"):
        LINKS.mint(a_link(**wrong))
