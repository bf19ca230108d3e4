"""Alembic without an alembic.ini: the migrations are part of the package and run over a connection we hand in.

The service itself only compares two words at its start, so it does not import Alembic (half a CPU second);
`facestep database migrate` does. tests/plugin/store/test_migrations.py holds NEWEST to what Alembic says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect, text

from plugin.errors import SettingsError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

NEWEST: Final = "0008"
"""The revision this version of the service was written for."""


def newest() -> str:
    """Return the revision this version of the service was written for."""
    return NEWEST


def current(connection: Connection) -> str | None:
    """Return the revision the tables are at, or None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    if len(found) > 1:
        raise SettingsError("the database is at several revisions at once; restore a backup")
    return found[0] if found else None


def upgrade(connection: Connection) -> str:
    """Run what is missing inside the caller's transaction, and return the revision reached."""
    from alembic import command  # noqa: PLC0415  (see above)
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    found = current(connection)
    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise SettingsError(f"the database is at revision {found}, which is newer than this version; install that one")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return newest()


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "plugin.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
