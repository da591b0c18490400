"""What usagers are refused: explained by their request as intake knows it, or a violation."""

from types import SimpleNamespace
from typing import Any, get_args

import pytest

from services.intake.domain import step
from services.intake.domain.refusal import Refused
from services.intake.domain.request import Status, TrackedRequest
from tests.simulation.run import run
from tests.simulation.settings import Settings
from tests.simulation.usagers import may_refuse


def test_a_town_that_refuses_a_wish_without_reason_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def weary(_request: TrackedRequest) -> None:
        raise Refused("resolved")

    monkeypatch.setattr(step, "_refuse_if_closed", weary)
    assert any("was refused as resolved, it is " in line for line in run(Settings(3, requests=10, strength=0)).broken)


@pytest.mark.parametrize("status", get_args(Status))
def test_each_reason_holds_in_its_own_states_alone(status: Status) -> None:
    known: Any = SimpleNamespace(status=status, withdrawal_pending=False, reopening_pending=False)
    reasons = ("resolved", "withdrawn", "erased", "withdrawal_pending", "not_settled", "weary")
    closed = [status] if status in ("resolved", "withdrawn", "erased") else []
    assert [why for why in reasons if may_refuse(known, "add", why)] == closed
    settled = [] if status in ("answered", "resolved") else ["not_settled"]
    final = [status] if status in ("withdrawn", "erased") else settled
    assert [why for why in reasons if may_refuse(known, "reopen", why)] == final


def test_a_wish_that_is_pending_is_refused_alone() -> None:
    known: Any = SimpleNamespace(status="answered", withdrawal_pending=True, reopening_pending=False)
    assert may_refuse(known, "withdraw", "withdrawal_pending")
    assert not may_refuse(known, "add", "withdrawal_pending")
    assert not may_refuse(known, "reopen", "reopening_pending")
