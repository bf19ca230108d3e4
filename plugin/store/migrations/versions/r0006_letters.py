"""Letters that wait for the mail server, and an index over the helpdesk's entries of the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
OF_HELPDESK = sa.text("event BETWEEN 'helpdesk_' AND 'pass_z'")


def upgrade() -> None:
    """Make a table and an index."""
    op.create_table(
        "helpdesk_letters",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("issuer", sa.String(length=512), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sealed_letter", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_audit_helpdesk",
        "audit_entries",
        ["event", "at_ms"],
        unique=False,
        sqlite_where=OF_HELPDESK,
        postgresql_where=OF_HELPDESK,
    )
