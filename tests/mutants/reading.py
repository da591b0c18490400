"""Bugs in how the log is read: the pure core, the shell, its store."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, caught, edit, in_chaos, simulated

_CORE, _SHELL, _STORE = "shared/delivery/core.py", "shared/delivery/shell.py", "shared/delivery/store.py"
_CONSUMER = "shared/delivery/consumer.py"

READING: Final = (
    Mutant(
        "sequence-not-checked",
        "What was seen before is taken again: the check of the sequence is gone",
        edit(_CORE, "        if one.sequence < expected:\n", "        if one.sequence < 0:\n"),
        caught("tests/delivery/test_core.py", says="test_a_duplicate_changes_nothing"),
        also=(simulated("7 parked: router parked"),),
    ),
    Mutant(
        "duplicate-off-by-one",
        "The very last event counts as new once more: `<` of the last one seen instead of the next one expected",
        edit(_CORE, "        if one.sequence < expected:\n", "        if one.sequence < run.seen[spot]:\n"),
        caught("tests/delivery/test_core.py", says="test_a_duplicate_changes_nothing"),
        also=(simulated("7 parked: router parked"),),
    ),
    Mutant(
        "gap-passed-over",
        "What comes after a missing event is taken as if nothing were missing",
        edit(_CORE, "        if one.sequence > expected:\n", "        if one.sequence > expected + 1_000_000:\n"),
        caught("tests/delivery/test_core.py", says="test_what_comes_after_a_gap_waits_and_is_taken_in_order"),
        also=(simulated("2 gap not seen"),),
    ),
    Mutant(
        "parked-out-of-order",
        "When a gap closes, the parked successors are taken from the last one on",
        edit(_CORE, "following = run.find_waiting(topic, run.seen[spot] + 1)", "following = run.waiting[-1]"),
        caught("tests/delivery/test_core.py", says="test_what_comes_after_a_gap_waits_and_is_taken_in_order"),
        also=(simulated("8 state: "),),
    ),
    Mutant(
        "poison-swallowed",
        "The guard swallows what a step raises, and calls the event taken",
        edit(
            _CORE,
            "            return run.park(one, _why(error), describe(error))\n        if one.parked_id",
            '            return Result("done", run.request_id)\n        if one.parked_id',
        ),
        caught("tests/delivery/test_core.py", says="test_poison_is_parked_its_successors_wait_its_neighbours_go_on"),
        also=(simulated("7 command: "),),
    ),
    Mutant(
        "poison-halts",
        "One event that its step cannot take stops all that is in the batch with it",
        edit(
            _CORE,
            "            return run.park(one, _why(error), describe(error))\n        if one.parked_id",
            "            raise\n        if one.parked_id",
        ),
        caught("tests/delivery/test_core.py", says="test_poison_is_parked_its_successors_wait_its_neighbours_go_on"),
        also=(simulated("0 raised: Poisoned"),),
    ),
    Mutant(
        "ticket-not-noted",
        "An Idempotency-Key, a CloudEvents id, a used link is not written down: the same comes in again",
        edit(_CORE, "folded.tickets.append((ticket, request_id))", "_ = (ticket, request_id)"),
        caught("tests/delivery/test_core.py", says="test_a_ticket_is_taken_once"),
        also=(simulated("1 repeated: "),),
    ),
    Mutant(
        "other-content-same-ticket",
        "Another content under a used key is answered as if it had been taken",
        edit(
            _CORE,
            "    if one.ticket is None or one.ticket.digest == digest:\n",
            "    if one.ticket is None or one.ticket.digest:\n",
        ),
        caught("tests/delivery/test_core.py", says="test_the_same_ticket_with_another_content_is_refused"),
        also=(simulated("1 repeated: "),),
    ),
    Mutant(
        "position-first",
        "The place in the log is committed before the effects: a batch that fails or dies in between is never taken",
        (
            Edit(
                _SHELL,
                "connection, connection.transaction():\n            self.gate.require()\n            positions",
                "connection:\n            self.gate.require()\n            positions",
            ),
            Edit(
                _SHELL,
                "            folded = await self._fold(connection, inputs, how=how)\n            folded.parked",
                "            await self.store.save(connection, Folded(), moved)\n"
                "            folded = await self._fold(connection, inputs, how=how)\n            folded.parked",
            ),
        ),
        caught(
            "tests/delivery/test_shell.py::test_values_that_postgresql_refuses_are_charged_to_their_record",
            servers=True,
            says="test_values_that_postgresql_refuses_are_charged_to_their_record",
        ),
        also=(simulated("1 lost: "),),
    ),
    Mutant(
        "log-not-asked",
        "What comes before it is known which log it is of is taken: lost just then, the new log's first records are passed over",
        edit(_CONSUMER, "if unknown := {topic for topic, _ in batches} - logs.keys():", "if unknown := set[str]():"),
        caught(
            "tests/delivery/test_replaced.py",
            servers=True,
            says="test_nothing_is_taken_before_it_is_known_which_log_it_is_of",
        ),
    ),
    Mutant(
        "log-not-compared",
        "A replica that was stuck with records of a lost log takes them for the new one's, and passes over as many of these",
        edit(_STORE, "self.log is not None and log is not None and self.log != log", "self.log is not None and log is None"),
        caught(
            "tests/simulation/test_contract.py",
            servers=True,
            says="test_positions_in_another_log_go_back_and_what_was_fetched_from_the_old_one_is_not_taken",
        ),
    ),
    Mutant(
        "request-not-locked-nor-compared",
        "A click and the log change one request at once: no row lock, no revision, the later one wins",
        (
            Edit(_STORE, '" ORDER BY request_id FOR UPDATE" if lock else ""', '" ORDER BY request_id"'),
            Edit(_STORE, "UPDATE SET {updates} WHERE r.revision = excluded.revision - 1", "UPDATE SET {updates}"),
        ),
        caught(
            "tests/delivery/test_shell.py::test_a_local_input_and_the_log_change_one_request_without_losing_either",
            servers=True,
            says="test_a_local_input_and_the_log_change_one_request_without_losing_either",
        ),
    ),
    Mutant(
        "request-not-locked",
        "Who comes second to a request does not wait, decides on what is about to change, and has to begin again at the commit",
        edit(_STORE, '" ORDER BY request_id FOR UPDATE" if lock else ""', '" ORDER BY request_id"'),
        caught(
            "tests/delivery/test_locks.py::test_who_comes_second_to_a_request_waits_for_the_first_and_never_begins_again",
            servers=True,
            says="test_who_comes_second_to_a_request_waits_for_the_first_and_never_begins_again",
        ),
    ),
    Mutant(
        "revision-not-compared",
        "Two who both create a request, or change one that neither could lock, overwrite one another",
        edit(_STORE, "UPDATE SET {updates} WHERE r.revision = excluded.revision - 1", "UPDATE SET {updates}"),
        caught(
            "tests/delivery/test_shell.py::test_a_local_input_and_the_log_change_one_request_without_losing_either",
            servers=True,
            says="test_a_local_input_and_the_log_change_one_request_without_losing_either",
        ),
    ),
    Mutant(
        "state-without-outbox",
        "The state is changed, what is to be told of it is forgotten",
        edit(_CORE, "        folded.outbox += run.outbox\n", ""),
        caught("tests/delivery/test_core.py", says="test_what_comes_after_a_gap_waits_and_is_taken_in_order"),
        also=(simulated("1 received: "),),
    ),
    Mutant(
        "state-saved-without-outbox",
        "The state is saved, what is to be told of it is not",
        edit(_STORE, "saved, outbox = folded.saved, folded.outbox + copies", "saved, outbox = folded.saved, copies"),
        caught(
            "tests/delivery/test_log.py::test_the_relay_publishes_in_order_and_marks_once",
            servers=True,
            says="test_the_relay_publishes_in_order_and_marks_once",
        ),
        also=(in_chaos("1 received: "),),
    ),
    Mutant(
        "outbox-without-state",
        "What happened is told, and forgotten by who told it",
        edit(_STORE, "saved, outbox = folded.saved, folded.outbox + copies", "saved, outbox = [], folded.outbox + copies"),
        caught(
            "tests/delivery/test_shell.py::test_records_below_the_position_were_taken_and_are_dropped",
            servers=True,
            says="test_records_below_the_position_were_taken_and_are_dropped",
        ),
    ),
    Mutant(
        "parked-without-bytes",
        "A parked record keeps its reason and loses what it was: nothing can be replayed",
        edit("shared/delivery/parked_rows.py", "            return raw.value, False\n", "            return None, False\n"),
        caught(
            "tests/delivery/test_shell.py::test_a_parked_record_keeps_its_bytes_and_a_copy_goes_to_the_dead_letters",
            servers=True,
            says="test_a_parked_record_keeps_its_bytes_and_a_copy_goes_to_the_dead_letters",
        ),
        also=(simulated("12 records: "),),
    ),
    Mutant(
        "parked-in-silence",
        "What waits for a parked record is put aside without a word in the log",
        edit(
            _SHELL,
            "            self.log.error(event, why=one.why, error_id",
            '            if one.why == "waiting":\n                continue\n'
            "            self.log.error(event, why=one.why, error_id",
        ),
        simulated("13 silent: "),
    ),
    Mutant(
        "tried-again-after-unknown",
        "A commit whose outcome nobody knows is run once more at once, as if it had failed",
        edit(
            _SHELL,
            'place=lane)\n                raise Unavailable("PostgreSQL does not answer; try again in a moment") from error\n',
            "place=lane)\n                inputs = [one._replace(ticket=None) for one in inputs]\n                continue\n",
        ),
        simulated("which 1 can have asked for"),
    ),
    Mutant(
        "acknowledged-by-the-client",
        "FastStream acknowledges what it hands over: its default, and messages are lost at every kill",
        edit("shared/delivery/subscription.py", "ack_policy=AckPolicy.MANUAL", "ack_policy=AckPolicy.ACK_FIRST"),
        caught("tests/architecture/test_subscribers.py", says="test_a_subscriber_leaves_the_place_in_the_log_to_the_shell"),
    ),
    Mutant(
        "member-not-static",
        "A restarted replica is a stranger to its group: all stand still until the old one is given up",
        edit(
            "shared/delivery/subscription.py",
            "group_instance_id=member,",
            'group_instance_id=f"{member}-{id(object())}",',
        ),
        caught("tests/architecture/test_subscribers.py", says="test_a_subscriber_leaves_the_place_in_the_log_to_the_shell"),
    ),
    Mutant(
        "watchdog-never-red",
        "A consumer or a relay that hangs is called alive for ever",
        edit(
            "shared/delivery/watchdog.py",
            "        if self._excused is None or now",
            "        if self._excused is not None or now",
        ),
        caught(
            "tests/delivery/test_watchdog.py::test_a_relay_that_stands_still_turns_red",
            servers=True,
            says="test_a_relay_that_stands_still_turns_red",
        ),
    ),
    Mutant(
        "loop-stays-ended",
        "A loop of a service that ends by a CancelledError of a library, though nobody cancelled it, is not begun again",
        edit(
            "shared/guard.py",
            "        except (Exception, asyncio.CancelledError) as error:\n",
            "        except Exception as error:\n",
        ),
        caught("tests/delivery/test_guard.py", says="test_a_loop_that_ends_by_itself_begins_again"),
    ),
    Mutant(
        "dead-client-unseen",
        "A client of Kafka whose loop ended without an error is not replaced: nothing is taken any more, and nothing is red",
        edit(
            "shared/delivery/prefetch.py",
            "any(loop.done() for loop in for_good)",
            "any(map(_has_failed, for_good))",
        ),
        caught("tests/delivery/test_prefetch.py", says="test_a_client_one_of_whose_loops_ended_is_dead"),
    ),
    Mutant(
        "client-cancels-its-user",
        "Whoever gives up a client of Kafka that has just started gets the CancelledError of that client's own tasks",
        edit(
            "shared/delivery/log_ends.py",
            "        if client is not None:\n            await close(client)\n",
            "        if client is not None:\n            await client.stop()\n",
        ),
        caught(
            "tests/delivery/test_closing.py",
            servers=True,
            says="test_who_asks_where_the_log_ends_while_kafka_goes_away_gets_no_answer_and_is_not_cancelled",
        ),
    ),
    Mutant(
        "rebuilt-backwards",
        "A rebuild folds the events of a topic in the wrong order",
        edit(
            "shared/delivery/history.py",
            "_Consumed, Told]] = []\n    latest: datetime | None = None\n    for sequence in sorted(events):\n",
            "_Consumed, Told]] = []\n    latest: datetime | None = None\n    for sequence in sorted(events, reverse=True):\n",
        ),
        caught(
            "tests/delivery/test_rebuild.py::test_a_rebuild_gives_the_same_states_bit_for_bit",
            servers=True,
            says="test_a_rebuild_gives_the_same_states_bit_for_bit",
        ),
    ),
)
