"""Create the table of deadlines."""

from alembic import op

revision = "sla_0002"
down_revision = "sla_0001"


def upgrade() -> None:
    """Create sla.deadline, a row for each clock that runs. `leased_until` only operates: it is no state."""
    op.execute(
        """CREATE TABLE sla.deadline (
            request_id uuid NOT NULL, promise text NOT NULL, what text NOT NULL, due_at timestamptz NOT NULL,
            authority text NOT NULL, leased_until timestamptz, PRIMARY KEY (request_id, promise)) WITH (fillfactor = 80)"""
    )
    op.execute("CREATE INDEX deadline_due ON sla.deadline (due_at)")
