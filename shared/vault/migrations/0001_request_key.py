"""Create the table of request keys."""

from alembic import op

revision = "vault_0001"
down_revision = None


def upgrade() -> None:
    """Create vault.request_key."""
    op.execute(
        """CREATE TABLE vault.request_key (
            request_id uuid PRIMARY KEY, authority text NOT NULL, wrapped bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now())"""
    )
