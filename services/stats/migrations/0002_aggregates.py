"""Create the aggregates."""

from alembic import op

revision = "stats_0002"
down_revision = "stats_0001"


def upgrade() -> None:
    """Create stats.cell (how many) and stats.duration (how long, in minutes of working time begun). No request is in them."""
    op.execute(
        """CREATE TABLE stats.cell (
            authority text NOT NULL, day date NOT NULL, service text NOT NULL, channel text NOT NULL, category text NOT NULL,
            measure text NOT NULL, amount bigint NOT NULL,
            PRIMARY KEY (authority, day, service, channel, category, measure)) WITH (fillfactor = 50)"""
    )
    op.execute(
        """CREATE TABLE stats.duration (
            authority text NOT NULL, day date NOT NULL, service text NOT NULL, channel text NOT NULL, measure text NOT NULL,
            minutes integer NOT NULL, amount bigint NOT NULL,
            PRIMARY KEY (authority, day, service, channel, measure, minutes)) WITH (fillfactor = 80)"""
    )
