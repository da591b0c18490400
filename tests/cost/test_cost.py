"""The cost gate: what a request costs in round trips, bytes and instructions is what was recorded, on any machine."""

import warnings

import pytest

from deploy.local import address
from tests.conftest import fresh_database
from tests.cost import gate, opcodes, wire


def test_a_step_a_read_and_a_letter_cost_the_instructions_that_were_recorded() -> None:
    """How many is judged on the recorded version of Python. Another one says so, and fails in CI."""
    if text := gate.not_judged():
        warnings.warn(text, stacklevel=1)
    told = gate.opcode_faults(opcodes.measured(), gate.read()[gate.OPCODES])
    assert not told, "\n".join(told)


@pytest.mark.integration
async def test_a_batch_costs_the_round_trips_and_bytes_that_were_recorded(postgres_server: address.Postgres) -> None:
    async with fresh_database(postgres_server.dsn) as dsn:
        told = gate.faults(await wire.measured(dsn), gate.read()["wire"])
    assert not told, "\n".join(told)


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ({"a": 105}, {"a": 100}, None),
        ({"a": 106}, {"a": 100}, "Find what it is spent on"),
        ({"a": 95}, {"a": 100}, None),
        ({"a": 94}, {"a": 100}, "So that it stays"),
        ({"a": 7}, {"a": 6}, "Find what it is spent on"),
        ({"a": 1}, {}, "not recorded yet"),
        ({}, {"a": 1}, "no longer measured"),
    ],
)
def test_more_than_the_tolerance_is_told(now: dict[str, int], before: dict[str, int], said: str | None) -> None:
    told = gate.faults(now, before)
    assert (said is None and not told) or (said is not None and said in told[0])


def test_instructions_of_another_python_are_not_counted_but_none_may_be_missing() -> None:
    recorded = {"a": 100, "b": 100}
    assert gate.opcode_faults({"a": 130, "b": 70}, recorded, python="3.13", is_ci=False) == []
    assert len(gate.opcode_faults({"a": 130, "c": 100}, recorded, python="3.13", is_ci=False)) == 2
    assert len(gate.opcode_faults({"a": 130, "b": 70}, recorded, python=gate.REFERENCE, is_ci=True)) == 2


def test_instructions_that_nobody_could_judge_fail_in_ci() -> None:
    recorded = {"a": 100}
    (told,) = gate.opcode_faults({"a": 100}, recorded, python="3.13", is_ci=True)
    assert "this is 3.13" in told and f"Run CI with Python {gate.REFERENCE}" in told
    assert gate.opcode_faults({"a": 100}, recorded, python=gate.REFERENCE, is_ci=True) == []
