"""Create the shell's tables."""

from alembic import op

from shared.delivery.tables import create_v1

revision = "intake_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables that the shell keeps for this service."""
    for statement in create_v1("intake", ("handling.v1", "escalations.v1"), ("requests.v1",)):
        op.execute(statement)
