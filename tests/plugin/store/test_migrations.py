from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic.script import ScriptDirectory

from plugin.errors import SettingsError
from plugin.store import revisions
from plugin.store.database import Database


def tables(path):
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def opened(folder):
    return closing(Database(f"sqlite:///{folder}/facestep.db"))


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


def test_a_folder_that_is_not_there_is_one_error(tmp_path):
    with opened(tmp_path / "none") as database, pytest.raises(SettingsError, match="cannot be made"):
        database.migrate()


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
