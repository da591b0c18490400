"""What usagers may write, drawn once per process: good submissions for every service and category, and some that are none."""

from random import Random

from pydantic import TypeAdapter

from services.intake.domain.validation import find_faults
from shared.events.inbound import RequestSubmitted, Submission
from shared.organisation import Authority, Installation
from shared.organisation.category import Category, Question

CHANNELS = ("web", "web", "web", "app", "phone", "desk", "email", "messenger", "mastodon", "procedure")
UNKNOWN_SERVICE = "piscine"


def draw(installation: Installation) -> tuple[list[Submission], list[bytes], list[Submission]]:
    """Return good submissions, the same as records of an adapter, and bad ones."""
    random = Random("submissions")
    good: list[Submission] = []
    for authority in installation.authorities.values():
        for channel in CHANNELS:
            for service in (*authority.services, None, UNKNOWN_SERVICE):
                good.append(_submission(authority, channel, service, random))
    encoder = TypeAdapter(RequestSubmitted)
    records = [
        encoder.dump_json(RequestSubmitted(**(one.model_dump() | {"channel": "adapter"}))) for one in good if one.channel == "web"
    ]
    bad = [one.model_copy(update={"category": "sans-objet"}) for one in random.sample(good, 10)] + [
        Submission(authority="ailleurs", phone="03 00 00 00 00", text="x")
    ]
    return good, records, bad


def _submission(authority: Authority, channel: str, service: str | None, random: Random) -> Submission:
    offered = (
        authority.categories_of(service)
        if service is not None and service in authority.services
        else tuple(authority.categories.values())
    )
    category: Category | None = random.choice([None, *offered])
    answers = {one.code: _answer(one) for one in category.questions if one.required} if category else {}
    one = Submission(
        authority=authority.code,
        channel=channel,
        service=service,
        category=category.code if category else None,
        email="camille@example.org",
        text="Bonjour, il y a un trou devant chez moi.",
        answers=answers,
    )
    assert not find_faults(one, authority), find_faults(one, authority)
    return one


def _answer(question: Question) -> str:
    match question.kind:
        case "choice":
            return question.choices[0].code
        case "yes_no":
            return "no"
        case "date":
            return "2026-03-03"
        case "number":
            return "3"
        case _:
            return "devant la mairie"
