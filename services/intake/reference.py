"""The reference of a request: short, said over the phone, written on paper, and proof against slips of the pen.

Eight random characters and one check character out of 31: digits and capitals without I, L, O, S and U, which are read as
1, 1, 0, 5 and V. The characters, weighted 9 to 1, add up to a multiple of 31. As 31 is prime and the weights and their
differences are not multiples of it, every wrong character and every swap of two characters is noticed.
"""

import secrets
import unicodedata
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRTVWXYZ"
LENGTH: Final = 9
_MODULUS: Final = len(ALPHABET)
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "S": "5", "U": "V"})


def new_reference() -> str:
    """Return a random reference, as it is shown: `K7M-2Q9-XC4`. One of 31^8 (about 850 thousand million)."""
    number, characters = secrets.randbelow(_MODULUS ** (LENGTH - 1)), ""  # one draw: eight of `choice` take ten times as long
    for _ in range(LENGTH - 1):
        number, digit = divmod(number, _MODULUS)
        characters += ALPHABET[digit]
    return shown(_with_check(characters))


def shown(characters: str) -> str:
    """Return nine characters in three groups."""
    return "-".join(characters[start : start + 3] for start in range(0, LENGTH, 3))


def parse_reference(text: str) -> str | None:
    """Return the reference that somebody typed, as it is shown; None when it is none or mistyped.

    Lower case, spaces, dashes of any kind and the letters that are left out are read as meant.
    """
    if len(text) > 100:
        return None
    letters = (one for one in unicodedata.normalize("NFKC", text).upper() if unicodedata.category(one)[0] in "LN")
    characters = "".join(letters).translate(_READ_AS)
    if len(characters) != LENGTH or any(one not in _VALUE for one in characters) or _weighted(characters):
        return None
    return shown(characters)


def _with_check(characters: str) -> str:
    return characters + ALPHABET[-_weighted(characters + "0") % _MODULUS]


def _weighted(characters: str) -> int:
    return sum(weight * _VALUE[one] for weight, one in zip(range(LENGTH, 0, -1), characters, strict=True)) % _MODULUS
