"""The proofs by name, and what each takes on the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Option = Literal["seed", "minutes"]


@dataclass(frozen=True)
class Proof:
    """`module` is the one whose `prove` runs it, loaded when asked for: one proof needs no other's dependencies."""

    module: str
    what: str
    seed: str = ""
    """What --seed does to it; empty: it has none."""
    minutes: str = ""
    """What --minutes does to it; empty: it has none."""
    bounds: tuple[Option, ...] = ()
    """The options with which only a part of the form runs."""

    def means(self, option: Option) -> str:
        """Return what an option does to it; empty when it does not know it."""
        return self.seed if option == "seed" else self.minutes


PROOFS: Final[dict[str, Proof]] = {
    "chaos": Proof(
        "tests.chaos.chaos",
        "R1, R2, faults of every kind on the real thing, then the checker; goes on where it was",
        seed="runs this one seed",
        minutes="begins no further seed after so long",
        bounds=("seed", "minutes"),
    ),
    "resilience": Proof(
        "tests.chaos.resilience",
        "R0, R3, R5, R6, R8, one fault at a time: how long until all is well again",
        seed="draws in which order the services are killed and hang",
        minutes="how long the broker is away in the long outage (10; short form 0.083)",
    ),
    "mutants": Proof(
        "tests.mutants.prove",
        "R10, seeded bugs put into a copy of the code, and who notices each",
        seed="draws which are tried first",
        minutes="begins no further one after so long, once the catchers were tried without any bug",
        bounds=("minutes",),
    ),
    "recovery": Proof(
        "tests.proof.recovery",
        "R4, Kafka's log destroyed and PostgreSQL restored, by the runbooks",
        minutes="how far back PostgreSQL is restored, and how long the log lives before it is destroyed (5; short form 0.15)",
    ),
    "fold": Proof("tests.figures.fold_speed", "P3, the router's shell beside a bare loop and the naive way"),
    "intake": Proof("tests.figures.intake_speed", "P1, the HTTP intake beside bare FastAPI and the naive way"),
    "deadlines": Proof("tests.figures.deadline_speed", "P4, deadlines fired beside the same writes bare, and idle looks"),
    "statistics": Proof(
        "tests.figures.statistics_speed",
        "P5, events into the aggregates beside a bare loop and the naive way",
        seed="draws the events (8)",
    ),
    "footprint": Proof(
        "tests.figures.footprint",
        "P10, memory and CPU while idle, round trips to PostgreSQL per request, how soon the demo mails",
    ),
    "growth": Proof("tests.figures.growth", "P11, what open requests in the tables cost each service"),
    "latency": Proof("tests.figures.latency", "P2, from the post of a request to the mail at the SMTP server, by rate"),
    "outbox": Proof(
        "tests.figures.outbox_speed", "P7, from the commit to the acknowledgement, and a backlog, beside bare and naive relays"
    ),
    "mail": Proof("tests.figures.mail_speed", "P8, mails composed and handed over, and their CPU"),
    "hostile": Proof(
        "tests.proof.hostile",
        "S1, S2, S4, hostile requests, tokens, records of the log, and strings in mails",
        seed="draws cases and tokens (1)",
        minutes="the most that the cases sent to the APIs may take; fewer cases than wanted are a miss",
        bounds=("minutes",),
    ),
    "simulation": Proof(
        "tests.simulation.proof",
        "R0, P12, thousands of towns in one process under every fault; goes on where it was",
        seed="replays this one seed, and tells its story if it fails",
        minutes="runs seeds for so long, however many that are, without P12",
        bounds=("seed", "minutes"),
    ),
}


def explained(option: Option) -> str:
    """Return what an option does, by the proofs that know it."""
    return "; ".join(f"{name}: {proof.means(option)}" for name, proof in PROOFS.items() if proof.means(option))


def refusals(name: str, *, seed: int | None, minutes: float | None) -> Iterator[str]:
    """Yield a sentence for each option that was given and that this proof does not know."""
    given: dict[Option, float | None] = {"seed": seed, "minutes": minutes}
    for option, value in given.items():
        if value is not None and not PROOFS[name].means(option):
            known = ", ".join(other for other, proof in PROOFS.items() if proof.means(option))
            yield f"{name} has no --{option}. Those that have it: {known}"
    if seed is not None and minutes is not None and PROOFS[name].bounds == ("seed", "minutes"):
        yield f"{name} runs one seed with --seed, and as many as fit with --minutes: give one of them"
