"""One letter of each kind, as its reader gets it: what the snapshots in `letters/` show.

`python -m tests.notifier.scenes` writes them anew, after a change of words or looks: read what changed before committing.
"""

import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import folders
from shared.events import escalations, handling
from shared.organisation import load
from tests.notifier.conftest import Notifier, Story

FOLDER = Path(__file__).parent / "letters"
CLOSED: dict[str, Any] = {"service": None, "elapsed_working_seconds": 7200}
ANSWER = "Bonjour,\n\nL’équipe passe jeudi matin. Le lampadaire n° 14 sera remplacé.\n\nSylvain Courtecuisse"


@dataclass(frozen=True)
class Scene:
    """The facts of a request, and the letter that is looked at."""

    letter: str
    facts: Callable[[Story], list[Any]]
    languages: tuple[str, ...] = ("fr",)


def _told(story: Story, *more: Callable[[Story], Any], **received: Any) -> list[Any]:
    return [story.received(**received), story.assigned(), *(one(story) for one in more)]


SCENES: dict[str, Scene] = {
    "receipt": Scene("receipt", lambda story: [story.received()], ("fr", "en")),
    "receipt_silence_rejects": Scene(
        "receipt",
        lambda story: [story.received(service="etat-civil", category="acte", demande=True, answers={"type": "naissance"})],
        ("fr", "en"),
    ),
    "receipt_silence_accepts": Scene(
        "receipt", lambda story: [story.received(service="urbanisme", category="permis-construire", demande=True)], ("fr", "en")
    ),
    "receipt_other_court": Scene(
        "receipt", lambda story: [story.received(service="etat-civil", category="inscription-electorale", demande=True)]
    ),
    "receipt_closed_service": Scene("receipt", lambda story: [story.received(service="culture", category=None, name=None)]),
    "assignment": Scene("assignment.2", _told),
    "assignment_to_front_desk": Scene(
        "assignment.2",
        lambda story: [
            story.received(service="culture", category=None, answers={}),
            story.assigned(service="accueil", reason="closed_service", asked_service="culture"),
        ],
    ),
    "assignment_transferred": Scene(
        "assignment.3",
        lambda story: _told(
            story,
            lambda told: told.life(
                handling.RequestTransferred,
                service="proprete",
                from_service="voirie",
                reason="agent",
                agent_text="C’est un dépôt.",
            ),
        ),
    ),
    "assignment_reopened": Scene(
        "assignment.4",
        lambda story: _told(
            story,
            lambda told: told.life(handling.RequestResolved, status="resolved", **CLOSED),
            lambda told: told.life(handling.RequestReopened, usager_text="Il s’est éteint de nouveau hier soir."),
        ),
    ),
    "usager_message": Scene(
        "usager_message.3",
        lambda story: _told(
            story, lambda told: told.life(handling.UsagerReplied, status="in_charge", usager_text="C’est le n° 14.")
        ),
    ),
    "withdrawal": Scene(
        "withdrawal.3",
        lambda story: _told(story, lambda told: told.life(handling.RequestWithdrawn, status="withdrawn", service=None)),
    ),
    "warning": Scene(
        "warning.taking_charge", lambda story: _told(story, lambda told: told.escalation(escalations.PromiseWarned))
    ),
    "escalation_cover": Scene(
        "escalation.taking_charge.1",
        lambda story: _told(story, lambda told: told.escalation(escalations.EscalationRaised, level=1, tell="cover")),
    ),
    "escalation_head": Scene(
        "escalation.taking_charge.2",
        lambda story: _told(story, lambda told: told.escalation(escalations.EscalationRaised, level=2, tell="head_of_service")),
    ),
    "escalation_unowned": Scene(
        "escalation.unowned.1",
        lambda story: [
            story.received(),
            story.escalation(escalations.EscalationRaised, promise="unowned", service=None, level=1, tell="general_management"),
        ],
    ),
    "transfer_notice": Scene(
        "transfer_notice.3",
        lambda story: _told(
            story,
            lambda told: told.life(handling.RequestTransferred, service="proprete", from_service="voirie", reason="agent"),
        ),
        ("fr", "en"),
    ),
    "question": Scene(
        "question.3",
        lambda story: _told(story, lambda told: told.life(handling.UsagerAsked, status="waiting", agent_text="Quel numéro ?")),
        ("fr", "en"),
    ),
    "answer": Scene(
        "answer.3",
        lambda story: _told(
            story,
            lambda told: told.life(handling.RequestAnswered, status="answered", agent_text=ANSWER, elapsed_working_seconds=7200),
        ),
        ("fr", "en"),
    ),
    "resolution": Scene(
        "resolution.3",
        lambda story: _told(
            story, lambda told: told.life(handling.RequestResolved, status="resolved", agent_text="Remplacé jeudi.", **CLOSED)
        ),
        ("fr", "en"),
    ),
}


def render(scene: Scene, language: str, notifier: Notifier) -> dict[str, str]:
    """Return the letter as its reader gets it: the text part under its visible headers, and the HTML part."""
    story = Story()
    facts = scene.facts(story)
    facts[0] = facts[0].model_copy(update={"language": language})
    notifier.take(*facts)
    mail = notifier.mail(scene.letter, story)
    read = email.message_from_bytes(mail.content, policy=email.policy.default)
    head = "".join(f"{name}: {read[name]}\n" for name in ("From", "To", "Reply-To", "Subject") if read[name])
    parts: dict[str, Any] = {part.get_content_subtype(): part for part in read.iter_parts()}
    text, html = (parts[form].get_content().replace("\r\n", "\n") for form in ("plain", "html"))
    return {"txt": f"{head}\n{text}", "html": html}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    town = load(folders.ROOT / "deploy" / "organisation").authority("rivemont")
    for name, scene in SCENES.items():
        for language in scene.languages:
            for form, text in render(scene, language, Notifier(town)).items():
                (FOLDER / f"{name}.{language}.{form}").write_text(text)


if __name__ == "__main__":
    main()
