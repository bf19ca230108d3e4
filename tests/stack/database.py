"""A migrated database in a temporary folder, for tests."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from plugin.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def fresh_database(folder: Path, *, busy_timeout_s: float = 0.2) -> Iterator[Database]:
    """Yield a new database with all tables; a lock that is not freed shows quickly."""
    with closing(Database(f"sqlite:///{folder}/facestep.db", busy_timeout_s=busy_timeout_s)) as database:
        database.migrate()
        yield database
