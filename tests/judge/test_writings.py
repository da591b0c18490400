"""Whether a word of a person is found in all that a town writes down, and let pass where it may be."""

from types import SimpleNamespace

import pytest

from tests.judge.erasures import what_is_left
from tests.judge.evidence import Evidence, History, Written
from tests.judge.tables import TABLES
from tests.judge.writings import in_record, row_bytes


def _hits(*written: Written) -> list[str]:
    evidence = Evidence([], dict.fromkeys(TABLES, ()), written=written)
    return list(what_is_left(evidence, History(canary="canari")))


def _record(**parts: object) -> list[Written]:
    raw = {"topic": "requests.v1", "partition": 0, "offset": 7, "key": b"", "value": None, "headers": []}
    return list(in_record(SimpleNamespace(**raw | parts)))


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"key": b"mon canari"}, "requests.v1/0/7 key and headers"),
        ({"headers": [("ce_id", b"canari")]}, "requests.v1/0/7 key and headers"),
        ({"value": b"no event: canari"}, "requests.v1/0/7"),
        ({"topic": "requests.v1.router.dlq", "value": b"canari"}, "requests.v1.router.dlq/0/7"),
        ({"topic": "intake.inbound.v1.intake.dlq", "value": b"canari"}, "intake.inbound.v1.intake.dlq/0/7"),
    ],
)
def test_a_word_in_any_part_of_a_record_is_found(parts: dict[str, object], where: str) -> None:
    assert _hits(*_record(**parts)) == [f"11 clear: {where}: 'canari' can be read"]


def test_a_word_in_a_log_or_in_another_table_is_found() -> None:
    assert len(_hits(("router.log", b"error: canari"), ("intake.other", row_bytes([1, None, "mon canari"])))) == 2
    assert _hits(("vault.other", row_bytes([b"\\x00", "serin"]))) == []


def test_what_adapters_write_may_be_in_clear() -> None:
    assert _hits(*_record(topic="intake.inbound.v1", key=b"canari", value=b"canari")) == []
