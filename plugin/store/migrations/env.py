"""Run migrations over the connection that plugin/store/revisions.py hands in; there is no other way in."""

from alembic import context

from plugin.store import helpdesk_tables  # noqa: F401  (its tables belong to Base)
from plugin.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # SQLite can; a half-made schema must not survive
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
