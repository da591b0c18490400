"""What the proof of a restore says: a nought beside what was taken out of it."""

from tests.proof.recovery import kafka_figures, postgresql_figures
from tests.recovery.operator import Followed
from tests.recovery.stories import Outcome

RESTORED = Outcome(accepted=401, forgotten=9, forgotten_seconds=1.0, mailed_again=144, undone=11, seconds=91.0, events=5120)


def test_what_a_restore_forgot_is_named_where_nothing_else_is_lost() -> None:
    told = {one.what: one.value for one in postgresql_figures("restored", RESTORED) if one.met}

    assert told == {
        "restored: requests lost of 410, beyond 9 that no log had": 0,
        "restored: mails sent twice, beyond 144 that no log had a word of": 0,
        "restored: invariants broken": 0,
        "restored: seconds to follow the page, 5120 events taken from the log": 91.0,
        "restored: requests accepted in the last 1.0 s, and in no log": 9,
    }


def test_one_more_is_a_miss() -> None:
    outcome = Outcome(accepted=401, forgotten=9, lost=1, mailed_again=144, mailed_twice=2)

    assert [one.value for one in postgresql_figures("restored", outcome) if not one.met] == [1, 2]


def test_where_nothing_was_accepted_nothing_is_proven() -> None:
    assert [one.what for one in kafka_figures(Outcome()) if not one.met] == ["Kafka's log destroyed: requests lost of 0"]


def test_of_a_lost_log_nothing_is_taken_out() -> None:
    told = [one.what for one in kafka_figures(Outcome(accepted=1104, events=7000))]

    assert told[:2] == ["Kafka's log destroyed: requests lost of 1104", "Kafka's log destroyed: mails sent twice"]


def test_events_are_counted_from_what_the_commands_said() -> None:
    said = (
        "12 events of intake will be published again\n3 events of sla will be published again\n"
        "router: 40 events of 7 requests adopted from the log\n  5 events of others had been passed over by an operator: ...\n"
    )
    assert Followed(said, 1.0).events == 55
