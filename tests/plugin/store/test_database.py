from __future__ import annotations

import sqlite3
import stat
import threading
import time
from contextlib import ExitStack, closing

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from plugin.errors import ServiceError, SettingsError
from plugin.store.database import Database
from plugin.store.tables import Attempts, Client
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


def test_a_transaction_commits_as_a_whole(database):
    with database.transaction() as session:
        session.add_all([client("a"), client("b")])
    assert names(database) == ["a", "b"]


def test_an_exception_leaves_nothing(database):
    def fail_half_way():
        with database.transaction() as session:
            session.add(client())
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert names(database) == []


def test_what_was_read_stays_usable_after_the_commit(database):
    with database.transaction() as session:
        row = client()
        session.add(row)
    assert row.jwks_uri == "marked-value"


def test_a_transaction_inside_a_transaction_is_a_mistake_and_shows_at_once(database):
    with database.transaction(), pytest.raises(RuntimeError, match="caller's session"), database.transaction():
        pass
    with database.transaction() as session:  # and the next one works
        session.add(client())
    assert names(database) == ["a"]


def test_a_locked_database_is_busy_and_nothing_is_half_written(database, tmp_path):
    with hold_lock(tmp_path / "facestep.db"):
        began = time.monotonic()
        with pytest.raises(ServiceError) as refused, database.transaction() as session:
            session.add(client())
        assert refused.value.code == "store_busy"
        assert time.monotonic() - began < 2
    assert names(database) == []
    with database.transaction() as session:
        session.add(client())
    assert names(database) == ["a"]


def test_readers_do_not_wait_for_a_writer_and_see_only_what_is_committed(database, tmp_path):
    with hold_lock(tmp_path / "facestep.db") as other:
        other.execute("INSERT INTO clients VALUES ('a', '', '', 1)")
        assert names(database) == []


def test_a_read_session_sees_one_snapshot(database):
    with database.reading() as session:
        assert session.get(Client, "a") is None
        with database.transaction() as writing:
            writing.add(client())
        assert session.get(Client, "a") is None
    assert names(database) == ["a"]


def test_a_read_session_cannot_write(database):
    def write():
        with database.reading() as session:
            session.add(client())
            session.commit()

    with pytest.raises(ServiceError):
        write()
    assert names(database) == []


def test_counting_before_comparing_cannot_be_raced(tmp_path):
    """Many threads read a counter and write it back plus one; with a lock at BEGIN none of them is lost."""
    threads, rounds = 4, 20
    with fresh_database(tmp_path, busy_timeout_s=20) as database:
        with database.transaction() as session:
            counter = {"consecutive": 0, "total": 0, "next_allowed_ms": 0}
            session.add(Attempts(issuer="i", subject="s", factor="face", **counter))

        def count():
            for _ in range(rounds):
                with database.transaction() as session:
                    row = session.get_one(Attempts, ("i", "s", "face"))
                    seen = row.total
                    time.sleep(0.0005)
                    row.total = seen + 1

        workers = [threading.Thread(target=count) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        with database.reading() as session:
            assert session.get_one(Attempts, ("i", "s", "face")).total == threads * rounds


def test_more_users_than_connections_are_told_to_come_back(database):
    def crowd():
        with ExitStack() as users:
            while True:
                users.enter_context(database.reading()).connection()

    with pytest.raises(ServiceError) as refused:
        crowd()
    assert refused.value.code == "store_busy"
    assert names(database) == []


def test_a_broken_constraint_reaches_the_caller_without_the_values(database):
    with database.transaction() as session:
        session.add(client())
    with pytest.raises(IntegrityError) as broken, database.transaction() as session:
        session.add(client())
    assert "marked-value" not in str(broken.value)


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


def test_it_prints_where_it_is(database, tmp_path):
    assert repr(database) == f"Database('sqlite:///{tmp_path}/facestep.db')"


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
        "postgresql://user:marked-password@host/db",
        "nosuch://x",
    ],
)
def test_a_url_that_is_not_understood_stops_the_start_without_showing_a_password(url):
    with pytest.raises(SettingsError) as refused:
        Database(url)
    assert "marked-password" not in str(refused.value)


def test_each_kind_of_transaction_keeps_its_promise_about_the_disk(database):
    """2 is FULL, 1 is NORMAL (sqlite.org/pragma.html): only what a lasting transaction follows may wait for it."""
    with database.transaction() as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2
    with database.transaction(lasting=False) as session:
        assert session.scalar(text("PRAGMA synchronous")) == 1
    with database.reading() as session:
        assert session.scalar(text("PRAGMA query_only")) == 1
