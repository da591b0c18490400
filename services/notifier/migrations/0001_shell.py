"""Create the shell's tables."""

from alembic import op

from shared.delivery.tables import create_v1

revision = "notifier_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables that the shell keeps for this service."""
    for statement in create_v1("notifier", ("requests.v1", "handling.v1", "escalations.v1"), ("notifications.v1",)):
        op.execute(statement)
