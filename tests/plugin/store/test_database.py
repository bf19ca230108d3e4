from __future__ import annotations

import sqlite3
import stat
from contextlib import closing

import pytest
from sqlalchemy import select

from plugin.errors import ServiceError, SettingsError
from plugin.store.database import Database
from plugin.store.tables import Client
from tests.stack.database import fresh_database


@pytest.fixture
def database(tmp_path):
    with fresh_database(tmp_path) as database:
        yield database


def client(name="a"):
    return Client(issuer=name, jwks_uri="marked-value", redirect_prefix="", created_ms=1)


def names(database):
    with database.reading() as session:
        return sorted(session.scalars(select(Client.issuer)))


def hold_lock(path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return closing(other)


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    path = tmp_path / "facestep.db"
    path.write_bytes(b"this is no database" * 100)
    with closing(Database(f"sqlite:///{path}")) as database, pytest.raises(ServiceError) as refused:
        database.check()
    assert refused.value.code == "store_unavailable"


def test_a_database_that_went_away_is_unavailable(tmp_path):
    with fresh_database(tmp_path) as database:
        database.close()
        for file in tmp_path.iterdir():
            file.unlink()
        tmp_path.rmdir()
        with pytest.raises(ServiceError) as refused, database.transaction():
            pass
        assert refused.value.code == "store_unavailable"
        tmp_path.mkdir()


def test_deleted_rows_are_overwritten_in_the_file(database, tmp_path):
    with database.transaction() as session:
        session.add(client())
    database.close()  # moves the write-ahead log into the file
    assert b"marked-value" in (tmp_path / "facestep.db").read_bytes()
    with database.transaction() as session:
        session.delete(session.get_one(Client, "a"))
    database.close()
    assert b"marked-value" not in (tmp_path / "facestep.db").read_bytes()


def test_only_the_owner_can_read_the_files(database, tmp_path):
    names(database)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "nosuch://x",
        "mysql://user:marked-password@host/db",
        "postgresql://user:marked-password@host",
        "postgresql+asyncpg://user:marked-password@host/db",
        "postgresql://user:marked-password@host/db?sslmode=require",
        "postgresql://user:marked-password@/db?host=127.0.0.1,db.example&sslmode=prefer",
        "postgresql://user:marked-password@host/db?options=-csynchronous_commit%3Doff",
    ],
)
def test_a_url_that_is_not_understood_stops_the_start_without_showing_a_password(url):
    with pytest.raises(SettingsError) as refused:
        Database(url)
    assert "marked-password" not in str(refused.value)
