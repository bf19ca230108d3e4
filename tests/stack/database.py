"""A migrated database in a temporary folder, for tests."""

from __future__ import annotations

import tempfile
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from plugin.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def fresh_database(folder: Path, *, busy_timeout_s: float = 0.2) -> Iterator[Database]:
    """Yield a new database with all tables; a lock that is not freed shows quickly."""
    path = folder / "facestep.db"
    path.touch(mode=0o600)
    path.write_bytes(migrated_file())
    with closing(Database(f"sqlite:///{path}", busy_timeout_s=busy_timeout_s)) as database:
        yield database


@cache
def migrated_file() -> bytes:
    """Return the file that `migrate` makes; a process makes it once, since it takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facestep.db"
        with closing(Database(f"sqlite:///{path}")) as database:
            database.migrate()
        return path.read_bytes()
