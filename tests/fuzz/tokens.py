"""Tokens that open something, tried by somebody who has none, a wrong one, or one for something else.

An action link is AES-256-SIV: 128 bits of it authenticate, and they cover request, authority, action, version, agent and end.
A tracking token is 128 bits of an HMAC over the request's id. So guessing either takes 2^127 tries on average; here 10,000
guesses, and every single character of a good one changed, must open nothing.
"""

import random
import string
from collections.abc import Iterator
from typing import Any, Final

import httpx

from services.intake.tokens import looks_like_token, token_digest
from shared.actions.link import InvalidLink, Links
from tests.fuzz.installation import LINK_KEY, NOON, Handed, Installation, hand_over, mint
from tests.fuzz.misuse import TRACKING_ACTS, misuse_all
from tests.fuzz.tried import CROSS_SITE, Tried

GUESSES: Final = 10_000
_OVER_HTTP: Final = 200
_ALPHABET: Final = string.ascii_letters + string.digits + "-_"


async def try_all(installation: Installation, *, seed: int, guesses: int = GUESSES) -> Tried:
    """Try guessed and altered tokens of both kinds, and good ones where they are not good."""
    chance, tried = random.Random(seed), Tried()  # what somebody guesses
    victim = await hand_over(installation.apps, service="voirie")
    before = await _states(installation, victim)
    link = mint(victim.request_id, "take_charge")
    await _try_links(installation, tried, [*_guessed(chance, len(link), guesses), *altered(link)])
    await _try_tracking(installation, tried, [*_guessed(chance, 22, guesses), *altered(victim.tracking_token)])
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        for token in chance.sample([*_guessed(chance, len(link), 50), *altered(link)], k=_OVER_HTTP):
            await _post(http, tried, f"{installation.url('router')}/a/{_quoted(token)}")
        for token in chance.sample([*_guessed(chance, 22, 200), *altered(victim.tracking_token)], k=_OVER_HTTP):
            for act in TRACKING_ACTS:
                await _post(http, tried, f"{installation.url('intake')}/rivemont/suivi/{_quoted(token)}/{act}")
            await _look(http, tried, f"{installation.url('intake')}/v1/requests/{_quoted(token)}")
    tried.unchanged("a token that is none", before, await _states(installation, victim))
    async with httpx.AsyncClient(trust_env=False, timeout=20, headers=CROSS_SITE) as http:
        await misuse_all(installation, http, tried)
    return tried


def _guessed(chance: random.Random, length: int, count: int) -> Iterator[str]:
    for _ in range(count):
        yield "".join(chance.choices(_ALPHABET, k=length))


def altered(token: str) -> Iterator[str]:
    """Yield a token with each character changed, dropped or doubled; cut; made longer; spelt otherwise."""
    for place, character in enumerate(token):
        other = _ALPHABET[(_ALPHABET.index(character) + 1) % 64]
        yield token[:place] + other + token[place + 1 :]
        yield (
            token[:place] + character.swapcase() + token[place + 1 :]
            if character.isalpha()
            else token[:place] + token[place + 1 :]
        )
        yield token[:place] + character + token[place:]
        yield token[: place or -2]
    yield from (token + more for more in ("A", "=", "==", "AAAA", " ", "\n", "\0", ".", "é", token))
    yield from (token.replace("-", "+").replace("_", "/") + "+", " " + token, token[::-1], token.upper(), token.lower())


def _quoted(token: str) -> str:
    return "".join(one if one in _ALPHABET else "".join(f"%{byte:02X}" for byte in one.encode()) for one in token)


async def _try_links(installation: Installation, tried: Tried, tokens: list[str]) -> None:
    links = Links.from_text(LINK_KEY)
    tried.tries += len(tokens)
    tried.read += len(tokens)
    for token in tokens:
        try:
            links.read(token, NOON)
        except InvalidLink:
            continue
        tried.faults.append("a link that is none was read")


async def _try_tracking(installation: Installation, tried: Tried, tokens: list[str]) -> None:
    tried.tries += len(tokens)
    tried.read += len(tokens)
    found = await installation.apps["intake"].pool.fetchval(
        "SELECT count(*) FROM intake.tracking WHERE token_digest = ANY($1::text[])",
        [token_digest(token) for token in tokens if looks_like_token(token)],
    )
    if found:
        tried.faults.append(f"{found} tracking tokens that are none open a request")


async def _post(http: httpx.AsyncClient, tried: Tried, url: str) -> None:
    tried.tries += 1
    answer = await http.post(url, data={"text": "Bonjour", "target": "proprete"}, headers=CROSS_SITE)
    if not 400 <= answer.status_code < 500:
        tried.faults.append(f"POST with a token that is none: {answer.status_code}")


async def _look(http: httpx.AsyncClient, tried: Tried, url: str) -> None:
    tried.tries += 1
    answer = await http.get(url)
    if not 400 <= answer.status_code < 500:
        tried.faults.append(f"GET with a token that is none: {answer.status_code}")


async def _states(installation: Installation, *handed: Handed) -> list[Any]:
    """Any: the states of the requests in all services."""
    return [await app.shell.find_state(one.request_id) for app in installation.apps.values() for one in handed]
