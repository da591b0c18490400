"""Bugs in how events are published, and mails sent."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, caught, edit, in_chaos, simulated

_RELAY, _SMTP = "shared/delivery/relay.py", "services/notifier/smtp.py"
_CLAIMED = """        reach("relay.after_claim")
"""
_SEND = """        with self._tracing.span("publish", causes=(row["traceparent"] for row in rows)):
            await self._send(rows)
        reach("relay.after_send")
"""
_MARK = """        await connection.execute(
            f"UPDATE {self._service}.outbox SET published_at = now() WHERE id = ANY($1::bigint[])",  # noqa: S608
            [row["id"] for row in rows],
        )
"""

PUBLISHING: Final = (
    Mutant(
        "cursor-relay",
        "The relay remembers the last id it published: what commits later under a smaller id is never told",
        (
            Edit(
                _RELAY,
                '"WHERE published_at IS NULL ORDER BY id LIMIT $1",\n            SET,',
                'f"WHERE id > {self._last} ORDER BY id LIMIT $1",\n            SET,',
            ),
            Edit(
                _RELAY,
                "        self.leads = False\n        self.last_error",
                "        self.leads = False\n        self._last = 0\n        self.last_error",
            ),
            Edit(
                _RELAY,
                '        reach("relay.after_mark")\n',
                '        reach("relay.after_mark")\n        self._last = rows[-1]["id"]\n',
            ),
        ),
        caught(
            "tests/delivery/test_relay.py", servers=True, says="test_what_commits_late_under_a_smaller_number_is_published_too"
        ),
    ),
    Mutant(
        "marked-before-sent",
        "The relay marks what it is about to send: a kill in between, and it is never told",
        (Edit(_RELAY, _CLAIMED + _SEND + _MARK, _MARK + _CLAIMED + _SEND),),
        caught(
            "tests/delivery/test_relay.py", servers=True, says="test_a_relay_that_dies_before_kafka_has_it_leaves_it_to_the_next"
        ),
        also=(in_chaos("3 not published: "),),
    ),
    Mutant(
        "published-backwards",
        "The relay sends a set from its end",
        edit(_RELAY, "WHERE published_at IS NULL ORDER BY id LIMIT $1", "WHERE published_at IS NULL ORDER BY id DESC LIMIT $1"),
        caught("tests/delivery/test_relay.py", servers=True, says="test_what_waits_is_sent_in_the_order_of_its_commits"),
        also=(in_chaos("2 order: "),),
    ),
    Mutant(
        "relay-not-ended",
        "Archives are published again while a relay has yet to mark what only the lost log had: nobody tells that any more",
        edit("shared/delivery/parking.py", "        await end_leader(connection, service)\n", ""),
        caught(
            "tests/delivery/test_relay.py",
            servers=True,
            says="test_what_a_log_had_that_is_lost_is_published_again_though_its_relay_stood_still",
        ),
    ),
    Mutant(
        "broken-producer-kept",
        "After an error the relay goes on with the same producer, which may be dead for good",
        edit(
            "shared/delivery/producer.py",
            "        except BaseException:\n            await self.close()\n            raise\n\n    async def _started",
            "        except BaseException:\n            raise\n\n    async def _started",
        ),
        caught(
            "tests/delivery/test_log.py::test_after_an_error_the_producer_is_a_new_one",
            servers=True,
            says="test_after_an_error_the_producer_is_a_new_one",
        ),
    ),
    Mutant(
        "sent-before-the-final-dot",
        "A mail counts as sent before the server has answered its final dot",
        edit(_SMTP, "                [code] = await answered\n", "                code = 250\n"),
        caught(
            "tests/notifier/test_sending.py::test_a_connection_lost_after_the_content_is_an_attempt_and_others_go_on",
            servers=True,
            says="test_a_connection_lost_after_the_content_is_an_attempt_and_others_go_on",
        ),
    ),
    Mutant(
        "another-message-id-each-time",
        "A mail that is sent again has another Message-ID: no mailbox sees that it is the same",
        edit(
            "services/notifier/compose.py",
            '("Message-ID", f"<{name}.{opened.request_id}@{domain}>")',
            '("Message-ID", f"<{name}.{id(opened)}.{opened.request_id}@{domain}>")',
        ),
        caught("tests/notifier/test_letters.py::test_headers_of_automatic_mail", says="test_headers_of_automatic_mail"),
    ),
    Mutant(
        "refused-for-good-tried-again",
        "A 5xx is taken for a 4xx: the server is asked for three days",
        edit(_SMTP, "if 500 <= code < 600 else", "if code == 600 else"),
        caught(
            "tests/notifier/test_sending.py::test_refused_for_good_is_given_up_at_once",
            servers=True,
            says="test_refused_for_good_is_given_up_at_once",
        ),
    ),
    Mutant(
        "refused-for-now-given-up",
        "A 4xx is taken for a 5xx: a busy server loses the mail",
        edit(_SMTP, "if 500 <= code < 600 else", "if 400 <= code < 600 else"),
        caught(
            "tests/notifier/test_sending.py::test_refused_for_now_is_tried_again_by_the_schedule",
            servers=True,
            says="test_refused_for_now_is_tried_again_by_the_schedule",
        ),
        also=(simulated("9 given up: "),),
    ),
    Mutant(
        "last-outcome-forgotten",
        "Of each set of letters one outcome is told to nobody: it is sent again once its lease is over",
        edit("services/notifier/sender.py", "shell.run(outcomes.told, lane", "shell.run(outcomes.told[:-1], lane"),
        caught(
            "tests/notifier/test_sending.py::test_no_attempt_is_lost_while_the_mail_server_is_away",
            servers=True,
            says="test_no_attempt_is_lost_while_the_mail_server_is_away",
        ),
        also=(simulated("9 duplicates: "),),
    ),
    Mutant(
        "letters-not-leased",
        "Two connections claim the same letters: each sends them",
        edit(
            "services/notifier/store.py",
            "SET leased_until = now() + $3::interval, leased_by = $4\n",
            "SET leased_until = now() - $3::interval, leased_by = $4\n",
        ),
        caught(
            "tests/notifier/test_sending.py::test_a_request_is_receipted_to_the_usager_and_mailed_to_its_service",
            servers=True,
            says="test_a_request_is_receipted_to_the_usager_and_mailed_to_its_service",
        ),
        also=(in_chaos("9 duplicates: "),),
    ),
    Mutant(
        "put-back-of-anothers-letters",
        "Who is late puts back a letter that another holds by now, and is sending: a third sends it once more",
        edit("services/notifier/store.py", "AND letter.leased_by = $5", "AND $5::text IS NOT NULL"),
        caught(
            "tests/simulation/test_leases.py",
            servers=True,
            says="test_who_is_late_puts_back_nothing_that_another_holds_by_now",
        ),
    ),
    Mutant(
        "letter-to-the-former-owner",
        "Letters go to who owned the request first, whoever owns it now",
        edit(
            "services/notifier/domain/step.py",
            "return (event.service or known.owner) if isinstance",
            "return (known.owner or event.service) if isinstance",
        ),
        caught("tests/notifier/test_step.py", says="test_every_fact_of_a_life_that_somebody_must_know_is_a_letter"),
    ),
)
