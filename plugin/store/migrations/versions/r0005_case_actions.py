"""What was asked for on a case of the helpdesk, about what, and who noted its proofs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns. In rows of before they stay empty, as their MACs say (store/integrity.py)."""
    op.add_column("helpdesk_cases", sa.Column("noted_by", sa.JSON(), nullable=True))
    op.add_column("helpdesk_cases", sa.Column("action", sa.String(length=16), nullable=True))
    op.add_column("helpdesk_cases", sa.Column("target", sa.String(length=64), nullable=True))
