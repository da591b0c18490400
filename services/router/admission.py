"""How a command of business software (`commands.v1`) becomes an input of the step."""

from services.router.domain.act import Act
from shared.delivery.values import Input
from shared.events.envelope import Received
from shared.events.inbound import CommandIssued


def admit_command(received: Received) -> Input:
    """Return the act that a command asks for. It names no agent and carries no text, so that acts with a text are refused."""
    command = received.event
    assert isinstance(command, CommandIssued), "commands.v1 carries nothing else"
    act = Act(action=command.action, expected_version=command.expected_version, target=command.service)
    return Input(request_id=command.request_id, authority=command.authority, event=act)
