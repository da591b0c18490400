"""Bugs in what the services decide: lives, clocks, working time, counts."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, caught, edit, in_chaos, simulated

_CLOCKS, _SLA = "services/sla/domain/clocks.py", "services/sla/domain/step.py"

DECIDING: Final = (
    Mutant(
        "owner-kept-when-closed",
        "A closed request still belongs to a service",
        edit(
            "services/router/domain/telling.py",
            'told = {"service": life.service if status in OPEN else None} | more',
            'told = {"service": life.service} | more',
        ),
        caught("tests/router/test_step.py", says="test_erasing_forgets_every_sealed_text_and_who_acted"),
        also=(simulated("4 owner: "), in_chaos("4 owner: ")),
    ),
    Mutant(
        "old-link-acts",
        "A link made for an earlier state of the request still acts",
        edit(
            "services/router/domain/act.py",
            "act.expected_version != life.version",
            "act.expected_version > life.version",
        ),
        caught("tests/router/test_step.py", says="test_a_link_of_an_older_version_is_refused_and_says_which"),
        also=(simulated("was done by a link of version"),),
    ),
    Mutant(
        "commands-refused",
        "Whatever business software asks for is put aside as if it were none of its business",
        (
            Edit(
                "services/router/admission.py",
                "from shared.delivery.values import Input\n",
                "from shared.delivery.errors import InputRefused\nfrom shared.delivery.values import Input\n",
            ),
            Edit(
                "services/router/admission.py",
                "    act = Act(action=command.action,",
                '    if command.action:\n        raise InputRefused("not for you")\n    act = Act(action=command.action,',
            ),
        ),
        caught(
            "tests/router/test_commands.py::test_business_software_takes_charge_and_resolves",
            servers=True,
            says="test_business_software_takes_charge_and_resolves",
        ),
        also=(simulated("7 refused: "),),
    ),
    Mutant(
        "reply-still-waited-for",
        "The usager's reply leaves the request waiting for it",
        edit(
            "services/router/domain/life.py",
            '    ("waiting", "add"): "in_charge",\n',
            '    ("waiting", "add"): "waiting",\n',
        ),
        caught(
            "tests/judge/test_lives.py::test_the_checker_and_the_router_know_the_same_lives",
            says="test_the_checker_and_the_router_know_the_same_lives",
        ),
        also=(simulated("2 path: "),),
    ),
    Mutant(
        "looking-acts",
        "Opening a link acts: whatever scans mails for viruses takes charge of every request",
        edit(
            "services/router/pages.py",
            "        code = _obstacle(link, sheet, site.app.clock.now())\n        if code is None:\n",
            "        code = _obstacle(link, sheet, site.app.clock.now())\n        if code is None:\n"
            "            return await _act(site, request, link, link.action, token, NOTHING)\n",
        ),
        caught(
            "tests/router/test_pages.py::test_no_route_changes_anything_when_it_is_only_looked_at",
            servers=True,
            says="test_no_route_changes_anything_when_it_is_only_looked_at",
        ),
    ),
    Mutant(
        "anybody-acts",
        "The mailbox of a former owner may still act",
        edit("services/router/domain/act.py", "    if mailbox == owner.mailbox:\n", "    if mailbox:\n"),
        caught("tests/router/test_step.py", says="test_the_former_service_may_no_longer_act_whatever_its_version_says"),
    ),
    Mutant(
        "good-link-refused",
        "Once the promise is overdue the service that owns the request is refused what it may do, as if it were another's",
        edit(
            "services/router/domain/act.py",
            "    if mailbox == owner.mailbox:\n        return True\n",
            "    if mailbox == owner.mailbox:\n        return now < life.due_at\n",
        ),
        caught("tests/router/test_step.py", says="test_the_owner_may_act_before_and_after_the_promise_is_overdue"),
        also=(simulated("was refused as not_yours"),),
    ),
    Mutant(
        "link-for-ever",
        "A link never runs out",
        edit("shared/actions/link.py", "        if now >= link.expires_at:\n", "        if now is None:\n"),
        caught("tests/actions/test_link.py", says="test_a_link_ends_on_its_second"),
        also=(simulated("still opens at"),),
    ),
    Mutant(
        "promise-worked-out-again",
        "The sla works the due instant out for itself instead of keeping the announced one",
        edit(
            _SLA,
            "        due_at=promise.due_at,\n",
            "        due_at=promise.warn_at + (promise.warn_at - promise.start_at) / 3,\n",
        ),
        caught("tests/sla/test_step.py", says="test_the_service_is_warned_at_three_quarters_and_not_a_moment_before"),
        also=(simulated("6 told otherwise: "),),
    ),
    Mutant(
        "fires-early",
        "A clock acts on any tick, its instant come or not",
        edit(_SLA, "deadline.what != tick.what or context.now < deadline.at", "deadline.what != tick.what"),
        caught("tests/sla/test_step.py", says="test_a_tick_that_comes_early_or_out_of_turn_says_nothing"),
    ),
    Mutant(
        "escalates-after-the-end",
        "A request that was taken in charge or closed still escalates",
        edit(_CLOCKS, " or self.erased_at is not None or self.stopped_at is not None:", " or self.erased_at is not None:"),
        caught("tests/sla/test_step.py", says="test_nothing_is_said_once_the_request_is_taken_in_charge_or_closed"),
        also=(simulated("5 after the end: "), in_chaos("5 after the end: ")),
    ),
    Mutant(
        "clock-starts-again",
        "A transfer or a reopening after taking charge starts the clock again",
        edit(
            _SLA,
            "stopped_at = event.at if stops else known.stopped_at",
            "stopped_at = event.at if event.status not in handling.STILL_WAITING else None",
        ),
        caught(
            "tests/sla/test_step.py", says="test_a_reopening_or_a_transfer_after_taking_charge_does_not_start_the_clock_again"
        ),
        also=(simulated("6 deadline: "),),
    ),
    Mutant(
        "wall-clock-in-a-step",
        "A step asks the machine what time it is",
        (
            Edit(_SLA, "from typing import Any\n", "from datetime import datetime\nfrom typing import Any\n"),
            Edit(_SLA, "or context.now < deadline.at:", "or datetime.now(deadline.at.tzinfo) < deadline.at:"),
        ),
        caught("tests/architecture/test_purity.py", says="test_nothing_pure_touches_the_world"),
        also=(
            caught(
                "tests/sla/test_any_year.py::test_a_deadline_goes_by_the_instant_that_its_step_is_given",
                says="test_a_deadline_goes_by_the_instant_that_its_step_is_given",
            ),
        ),
    ),
    Mutant(
        "wall-clock-in-a-loop",
        "The loop of the deadlines goes by the machine's time, not by the clock that it was given",
        edit(
            "services/sla/ticks.py",
            "self._store.claim_due(self._app.clock.now(), limit",
            "self._store.claim_due(datetime.now().astimezone(), limit",
        ),
        caught(
            "tests/sla/test_ticks.py::test_two_replicas_fire_each_deadline_once",
            servers=True,
            says="test_two_replicas_fire_each_deadline_once",
        ),
    ),
    Mutant(
        "deadlines-not-leased",
        "Deadlines are claimed without a lease: whoever looks takes them",
        edit("services/sla/store.py", "SET leased_until = now() + $3::interval\n", "SET leased_until = now() - $3::interval\n"),
        caught(
            "tests/sla/test_ticks.py::test_what_a_dead_replica_had_claimed_is_fired_after_the_lease",
            servers=True,
            says="test_what_a_dead_replica_had_claimed_is_fired_after_the_lease",
        ),
    ),
    Mutant(
        "public-holidays-worked",
        "Working time knows no public holiday",
        edit(
            "shared/working_time/calendar.py",
            "        return public_holidays(self.zone, day.year).get(day)\n",
            "        return None\n",
        ),
        caught("tests/working_time/test_examples.py", says="test_forty_eight_working_hours_across_the_first_of_may"),
        also=(simulated("6 due: "),),
    ),
    Mutant(
        "clock-change-ignored",
        "Working time keeps the offset of the new year all the year round",
        edit(
            "shared/working_time/openings.py",
            "        if _offset_at(zone, day_start) != _offset_at(zone, day_start + _DAY):\n",
            "        if day_start < start:\n",
        ),
        caught("tests/working_time/test_examples.py", says="test_a_request_of_saturday_starts_on_monday"),
        also=(simulated("6 due: "),),
    ),
    Mutant(
        "counted-by-event",
        "A request that goes to and fro counts each time",
        edit(
            "services/stats/domain/facts.py",
            "        return () if name in self.counts else (name,)\n",
            "        return (name,)\n",
        ),
        caught("tests/stats/test_recount.py", says="test_the_aggregates_are_a_recount_of_the_log_in_any_order_and_batching"),
        also=(simulated("10 cell: "),),
    ),
    Mutant(
        "small-cells-published",
        "Numbers under eleven are published",
        edit("services/stats/domain/disclosure.py", "    return amount < THRESHOLD and (", "    return amount < 4 and ("),
        caught(
            "tests/stats/test_disclosure.py::test_a_hidden_cell_may_be_any_small_number_or_none_as_far_as_a_reader_can_tell",
            says="test_a_hidden_cell_may_be_any_small_number_or_none_as_far_as_a_reader_can_tell",
        ),
    ),
)
