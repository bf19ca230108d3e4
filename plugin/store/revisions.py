"""Alembic without an alembic.ini: the migrations are part of the package and run over a connection we hand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from plugin.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection


def newest() -> str:
    """Return the revision this version of the service was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise SettingsError("the package holds no migrations; install it again")
    return head


def current(connection: Connection) -> str | None:
    """Return the revision the tables are at, or None for an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection) -> str:
    """Run what is missing inside the caller's transaction, and return the revision reached."""
    found = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SettingsError(f"the database is at revision {found}, which is newer than this version; install that one")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return newest()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "plugin.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
