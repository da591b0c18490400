"""Create the table of letters to send."""

from alembic import op

revision = "notifier_0002"
down_revision = "notifier_0001"


def upgrade() -> None:
    """Create notifier.letter, a row for each letter to send; sent or given up, it goes.

    `attempts`, `next_try_at` and the lease only operate: they are no state. A fresh letter is due at once.
    """
    op.execute(
        """CREATE TABLE notifier.letter (
            request_id uuid NOT NULL, name text NOT NULL, authority text NOT NULL, kind text NOT NULL,
            recipient text NOT NULL, service text, attempts integer NOT NULL DEFAULT 0,
            next_try_at timestamptz NOT NULL DEFAULT '-infinity', leased_until timestamptz, leased_by text,
            created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (request_id, name)) WITH (fillfactor = 70)"""
    )
    op.execute("CREATE INDEX letter_due ON notifier.letter (next_try_at)")
