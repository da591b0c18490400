"""Escrow: what is sealed to the public key opens under the private one, for its own request, and under nothing else."""

import uuid

import pytest

from shared.vault import escrow
from shared.vault.escrow import Escrow, EscrowKey
from shared.vault.seal import Unreadable, Vault

VAULT = Vault({1: b"k" * 32})


def test_a_key_comes_back_from_escrow() -> None:
    private, request_id = EscrowKey.generate(), uuid.uuid4()
    key, _ = VAULT.new_key(request_id)

    escrowed = Escrow.from_text(private.public_text).wrap(request_id, key)

    assert EscrowKey.from_text(private.text).unwrap(request_id, escrowed) == key
    assert len(escrowed) == 124


def test_it_opens_for_no_other_request_and_under_no_other_key() -> None:
    private, request_id = EscrowKey.generate(), uuid.uuid4()
    key, _ = VAULT.new_key(request_id)
    escrowed = Escrow.from_text(private.public_text).wrap(request_id, key)

    for other, opener in ((uuid.uuid4(), private), (request_id, EscrowKey.generate())):
        with pytest.raises(Unreadable):
            opener.unwrap(other, escrowed)
    with pytest.raises(Unreadable):
        private.unwrap(request_id, escrowed[:-8])


def test_the_costly_exchange_is_made_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    private, request_id = EscrowKey.generate(), uuid.uuid4()
    key, _ = VAULT.new_key(request_id)
    sealing = Escrow.from_text(private.public_text)
    first, second = sealing.wrap(request_id, key), sealing.wrap(request_id, key)
    monkeypatch.setattr(escrow, "EPOCH_SECONDS", -1.0)  # an hour later
    third = sealing.wrap(request_id, key)

    assert first[:42] == second[:42] and first != second, "one ephemeral key, another nonce"
    assert first[:42] != third[:42]
    assert private.unwrap(request_id, third) == key


@pytest.mark.parametrize("text", ["", "AAAA", "not base64"])
def test_a_wrong_key_is_refused_without_repeating_it(text: str) -> None:
    for read in (Escrow.from_text, EscrowKey.from_text):
        with pytest.raises(ValueError, match="escrow") as told:
            read(text)
        assert text == "" or text not in str(told.value)


def test_what_was_hidden_under_an_earlier_key_opens() -> None:
    old, new = b"o" * 32, b"n" * 32
    hidden = Vault({1: old}).hide(b"a parked record")

    assert Vault({2: new, 1: old}).reveal(hidden) == b"a parked record"
    with pytest.raises(Unreadable):
        Vault({2: new}).reveal(hidden)
