"""Create the table of owners."""

from alembic import op

revision = "router_0002"
down_revision = "router_0001"


def upgrade() -> None:
    """Create router.assignment, one row per request."""
    op.execute(
        """CREATE TABLE router.assignment (
            request_id uuid PRIMARY KEY, authority text NOT NULL, reference text NOT NULL, service text,
            status text NOT NULL, reason text NOT NULL, version integer NOT NULL, due_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL) WITH (fillfactor = 80)"""
    )
    op.execute("CREATE INDEX assignment_queue ON router.assignment (authority, service, due_at) WHERE service IS NOT NULL")
