"""R1 and R2: faults of every kind, at random and at named points, on the real thing; after healing the checker looks.

Each seed is kept in a file when it is done, so that a run that was broken off goes on where it was, as long as the commit is
the same: `--seed N` runs one seed. It repeats the plan of the faults and the strength of the load, not the instants: who acts
on what follows from the ids of the requests, which are new each time, and from how fast the machine is.
"""

import time
from typing import Final

from deploy.local import folders
from shared.delivery.points import POINTS
from tests.chaos.alarms import ALARMS
from tests.chaos.faults import ASKED
from tests.chaos.outcome import Outcome, table, total
from tests.chaos.plan import DRAWN, PARTS
from tests.chaos.seed import Form, run_seed
from tests.proof.options import Options
from tests.proof.report import Figure

SHORT: Final = Form("short", rate=12.0, seconds=36.0, faults=27, felt=20, climbs_every=3, copies_every=3)
LONG: Final = Form(
    "long",
    rate=60.0,
    seconds=90.0,
    faults=60,
    felt=50,
    agents_at_once=2,
    climbs_every=5,
    copies_every=2,
    requests=5000,
    most_seconds=420.0,
)
_SEEDS: Final = {"short": 3, "long": 20}
ASKED_IN_CI: Final = frozenset(("postgres_stop", "zombie", "refuse kafka", "refuse smtp", "poison", "disorder"))
"""The alarms of which the plans of the three short seeds left somebody to be asked in every run, beside other work, too."""
KEPT: Final = folders.LOCAL / "proof" / "chaos"
_SAME_RUN_SECONDS: Final = 24 * 3600.0


async def prove(options: Options) -> list[Figure]:
    """R1 and R2, by `python -m tests.proof chaos`."""
    form = SHORT if options.short else LONG
    seeds = [options.seed] if options.seed is not None else list(seeds_of(form))
    until = None if options.minutes is None else time.monotonic() + options.minutes * 60
    outcomes: list[Outcome] = []
    for seed in seeds:
        outcome = None if options.short or options.seed is not None else _done_before(form, seed, options.commit)
        if outcome is None:
            if until is not None and time.monotonic() > until:
                break
            print(f"  seed {seed}: {len(form.plan(seed))} faults", flush=True)
            if options.seed is not None:
                print("\n".join(f"    {one}" for one in form.plan(seed)), flush=True)
            outcome = await run_seed(options.folder / f"seed-{seed}", seed, form)
            outcome.commit = options.commit
            outcome.save(KEPT)
        print(f"  {outcome.line()}", flush=True)
        if outcome.violations or outcome.missed_points:
            print("\n".join(f"    {one}" for one in (*outcome.violations[:20], *outcome.missed_points)))
            print(
                f"    again, with the same plan and load: make proof NAME=chaos SEED={seed}{' SHORT=1' * options.short}",
                flush=True,
            )
        outcomes.append(outcome)
    print(table(outcomes), flush=True)
    return figures(form, outcomes, in_part=options.seed is not None or options.minutes is not None)


def seeds_of(form: Form) -> range:
    """Return the seeds of a form."""
    return range(1, _SEEDS[form.name] + 1)


def _done_before(form: Form, seed: int, commit: str) -> Outcome | None:
    path = KEPT / f"{form.name}-{seed}.json"
    if not path.exists() or time.time() - path.stat().st_mtime > _SAME_RUN_SECONDS:
        return None
    return Outcome.find(KEPT, form.name, seed, commit=commit)


def _seeds(form: Form, run: int, *, in_part: bool) -> Figure:
    """Tell how many seeds ran. In a part of the form the goals of the others grow with the seeds that ran; this says so."""
    wanted = len(seeds_of(form))
    if in_part:
        return Figure("R1", f"seeds, part of the {wanted} of the {form.name} form", run, ">= 1", run >= 1)
    return Figure("R1", f"seeds of the {form.name} form", run, f"= {wanted}", run == wanted)


def figures(form: Form, outcomes: list[Outcome], *, in_part: bool) -> list[Figure]:
    """Return the figures of the seeds that ran. `in_part`: --seed or --minutes let only some run."""
    whole = len(outcomes) >= PARTS
    violations = sum(len(one.violations) for one in outcomes)
    felt = total(outcomes, "faults").total() - total(outcomes, "unfelt").total()
    accepted = sum(one.accepted for one in outcomes)
    again, losses = sum(one.repeated_mails for one in outcomes), sum(one.mail_losses for one in outcomes)
    unexplained = sum(text.startswith(("9 duplicates", "9 unsaid")) for one in outcomes for text in one.violations)
    reached = {point for one in outcomes for point in one.points}
    least = form.felt * len(outcomes)
    wanted = {fault.point for one in outcomes for fault in form.plan(one.seed) if fault.point}
    told = [
        _seeds(form, len(outcomes), in_part=in_part),
        Figure("R1", f"violations of the invariants, {accepted} requests accepted", violations, "= 0", violations == 0),
        Figure("R1", f"faults over {len(outcomes)} seeds, but those that met nobody", felt, f">= {least}", felt >= least),
        Figure(
            "R1", f"named points at which a service died, of {len(POINTS)}", len(reached), f"= {len(wanted)}", reached >= wanted
        ),
        Figure(
            "R2",
            f"mails that came again though nothing broke then, of {again} over {losses} losses of the notifier or of its way",
            unexplained,
            "= 0",
            unexplained == 0,
        ),
    ]
    if whole and form is LONG:
        least = form.requests * len(outcomes)
        told.append(Figure("R1", f"requests accepted over {len(outcomes)} seeds", accepted, f">= {least}", accepted >= least))
    if whole:
        missing = DRAWN - total(outcomes, "faults").keys()
        told.append(Figure("R1", f"kinds of faults that never came, of {len(DRAWN)}", len(missing), "= 0", not missing))
        told += [_unknown(form, outcomes), *proven_nothing(form, outcomes)]
    return told


def _unknown(form: Form, outcomes: list[Outcome]) -> Figure:
    """Tell how many posts were given up without an answer; in the short form they may be too few for some to have been done."""
    unknown, done = sum(one.unknown for one in outcomes), sum(one.unknown_done for one in outcomes)
    what = f"posts of unknown outcome, {done} of them done"
    if form is LONG:
        return Figure("R1", what, unknown, ">= 1, some done and some not", 0 < done < unknown)
    return Figure("R1", what, unknown, ">= 1", unknown >= 1)


def proven_nothing(form: Form, outcomes: list[Outcome]) -> list[Figure]:
    """Tell what came and met nobody, and which alarm was never asked for.

    In the short form most kinds come once, and may find no mail under way, or a service that cannot tell: of them it asks for
    the full disk, the locks, slow statements and a zombie that was replaced, and for the alarms of `ASKED_IN_CI`.
    """
    faults, unfelt = total(outcomes, "faults"), total(outcomes, "unfelt")
    idle = sorted(kind for kind in ASKED if 0 < faults[kind] == unfelt[kind])
    judged = total(outcomes, "alarms_judged")
    never = sorted(name for name in ALARMS if not judged[name])
    whole = form is LONG
    asked = ALARMS.keys() if whole else ASKED_IN_CI
    struck = not idle if whole else not {"disk_full", "lock", "slow_statements", "zombie"} & set(idle)
    goal = "= 0" if whole else "any"
    return [
        Figure(
            "R1",
            f"kinds of faults that only met nobody, of the {len(ASKED)} of which that is known: {', '.join(idle) or 'none'}",
            len(idle),
            goal,
            struck,
        ),
        Figure(
            "R1",
            f"alarms never asked for, of {len(ALARMS)}: {', '.join(never) or 'none'}",
            len(never),
            "= 0" if whole else f"none of {len(ASKED_IN_CI)}",
            not asked & set(never),
        ),
    ]
