"""Create the table by which a request is found again."""

from alembic import op

revision = "intake_0002"
down_revision = "intake_0001"


def upgrade() -> None:
    """Create intake.tracking, one row per request."""
    op.execute(
        """CREATE TABLE intake.tracking (
            request_id uuid PRIMARY KEY, authority text NOT NULL, reference text NOT NULL, token_digest text,
            status text NOT NULL, received_at timestamptz NOT NULL, closed_at timestamptz) WITH (fillfactor = 80)"""
    )
    op.execute("CREATE UNIQUE INDEX tracking_reference ON intake.tracking (authority, reference)")
    op.execute("CREATE UNIQUE INDEX tracking_token ON intake.tracking (token_digest)")
    op.execute("CREATE INDEX tracking_closed ON intake.tracking (authority, closed_at, request_id) WHERE closed_at IS NOT NULL")
