"""Consents are signed, references are found by their end, and the audit log by the person it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and two indexes. A consent given before has no MAC; nothing but its proof is read from it."""
    op.add_column("consents", sa.Column("mac", sa.LargeBinary(length=32), nullable=True))
    op.create_index(op.f("ix_face_references_expires_ms"), "face_references", ["expires_ms"], unique=False)
    op.create_index("ix_audit_subject", "audit_entries", ["issuer", "subject", "event", "seq"], unique=False)
