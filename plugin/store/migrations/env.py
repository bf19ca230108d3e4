"""Run migrations over the connection that plugin/store/revisions.py hands in; there is no other way in."""

from alembic import context

from plugin.store.every_table import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite can; a half-made schema must not survive
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
