"""The count of statements: what asyncpg says to PostgreSQL, however the network cuts it."""

import pytest

from tests.figures.counting_proxy import Statements


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4) + body


_TLS = (8).to_bytes(4) + (80_877_103).to_bytes(4)
_INTRODUCTION = (12).to_bytes(4) + (196_608).to_bytes(4) + b"QEQE"
_PREPARED = _message(b"B", b"QQQQQ") + _message(b"E", b"\0\0\0\0\0") + _message(b"S", b"")
_SPOKEN = b"".join(
    (_TLS, _INTRODUCTION, _message(b"Q", b"BEGIN;\0"), _message(b"P", b"SELECT E\0"), _message(b"S", b""), _PREPARED, _PREPARED)
)
"""Three statements, beside bytes that look like some."""


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_statements_are_counted_in_pieces_of_any_size(size: int) -> None:
    statements = Statements()
    assert sum(statements.begun(_SPOKEN[at : at + size]) for at in range(0, len(_SPOKEN), size)) == 3


def test_one_more_execution_is_one_more_statement() -> None:
    statements = Statements()
    assert statements.begun(_SPOKEN) == 3
    assert statements.begun(_message(b"S", b"")) == 0
    assert statements.begun(_PREPARED) == 1
