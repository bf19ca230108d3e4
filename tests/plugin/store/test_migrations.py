from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from plugin.errors import ServiceError, SettingsError
from plugin.store import revisions
from plugin.store.database import Database
from plugin.store.tables import Base
from tests.stack.database import fresh_database


def tables(path):
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def opened(folder):
    return closing(Database(f"sqlite:///{folder}/facestep.db"))


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path):
    with fresh_database(tmp_path) as database, database._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_database_that_is_not_there_is_not_made_by_looking(tmp_path):
    with opened(tmp_path) as database, pytest.raises(SettingsError, match="facestep database migrate"):
        database.check()
    assert not (tmp_path / "facestep.db").exists()


def test_the_newest_revision_is_the_one_that_alembic_finds():
    assert ScriptDirectory.from_config(revisions._config()).get_heads() == [revisions.NEWEST]


def test_serving_does_not_import_alembic():
    code = "import sys, plugin.app, plugin.wiring; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_migrating_twice_changes_nothing(tmp_path):
    with opened(tmp_path) as database:
        first = database.migrate()
        before = (tmp_path / "facestep.db").stat().st_size
        assert database.migrate() == first
        database.check()
        assert (tmp_path / "facestep.db").stat().st_size == before


@pytest.mark.parametrize("revision", ["0000", "9999"])
def test_another_revision_stops_the_start_and_is_not_migrated_blindly(tmp_path, revision):
    with fresh_database(tmp_path) as database:
        with closing(sqlite3.connect(tmp_path / "facestep.db")) as other, other:
            other.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        with pytest.raises(SettingsError, match=f"at revision {revision}"):
            database.check()
        with pytest.raises(SettingsError, match="newer than this version"):
            database.migrate()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path):
    with closing(sqlite3.connect(tmp_path / "facestep.db")) as other, other:
        other.execute("CREATE TABLE webauthn_credentials (in_the_way INTEGER)")  # the last one to be made
    with opened(tmp_path) as database:
        with pytest.raises(ServiceError):
            database.migrate()
        with pytest.raises(SettingsError):
            database.check()
    assert tables(tmp_path / "facestep.db") == {"webauthn_credentials"}


def test_a_folder_that_is_not_there_is_one_error(tmp_path):
    with opened(tmp_path / "none") as database, pytest.raises(SettingsError, match="cannot be made"):
        database.migrate()


def test_several_workers_may_migrate_at_once(tmp_path):
    found = []

    def migrate():
        with closing(Database(f"sqlite:///{tmp_path}/facestep.db")) as database:
            found.append(database.migrate())
            database.check()

    workers = [threading.Thread(target=migrate) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 3
    assert len(set(found)) == 1


def test_migrations_are_found_from_any_folder_without_an_ini_file(tmp_path):
    """And in silence: a command that prints JSON must not have Alembic's log in front of it."""
    program = "import sys; from plugin.store.database import Database; Database(sys.argv[1]).migrate()"
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path}/facestep.db"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert "face_references" in tables(tmp_path / "facestep.db")
