"""What nobody can know any more once a database is lost."""

from datetime import UTC, datetime
from uuid import UUID

from tests.judge.evidence import History
from tests.recovery.remains import Remains, Told

_NOW = datetime(2026, 11, 27, tzinfo=UTC)
_ERASED, _KEPT = UUID(int=1), UUID(int=2)


def test_an_erasure_that_no_log_has_may_be_undone_and_one_that_it_has_may_not() -> None:
    told = [Told("requests.v1", _ERASED, 2, "fr.aiguilleur.request.erased.v1", b"{}", _NOW)]
    history = History(acts=[], erasures={_ERASED: "done", _KEPT: "done"})
    Remains(_NOW, _NOW, told).excuse(history, [])
    assert history.erasures == {_ERASED: "unknown", _KEPT: "done"}
