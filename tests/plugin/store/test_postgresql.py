from __future__ import annotations

import time
from contextlib import closing

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.engine import make_url

from plugin.cli import main
from plugin.errors import ServiceError, SettingsError
from plugin.store import postgresql
from plugin.store.database import Database
from plugin.store.postgresql import WRITER_LOCK
from plugin.store.tables import Client
from tests.stack.stores import PostgresqlStore

END_THEM = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name LIKE 'facestep%' AND datname = current_database()
"""
needs_server = pytest.mark.servers


@pytest.fixture
def store(postgresql):
    with postgresql.database() as url:
        yield PostgresqlStore(url)


def client():
    return Client(issuer="a", jwks_uri="", redirect_prefix="", created_ms=1)


@pytest.mark.parametrize(
    ("url", "sslmode"),
    [
        ("postgresql://u@db.example/facestep", "verify-full"),
        ("postgresql+psycopg://u@db.example/facestep", "verify-full"),
        ("postgresql://u@db.example/facestep?sslmode=verify-full&sslrootcert=/etc/ca.pem", "verify-full"),
        ("postgresql://u@/facestep?host=one.example:5432&host=two.example:5432", "verify-full"),
        ("postgresql://u@127.0.0.1/facestep", None),
        ("postgresql://u@localhost:5433/facestep", None),
        ("postgresql://u@/facestep?host=/var/run/postgresql", None),
    ],
)
def test_the_way_to_another_machine_is_encrypted_and_its_name_checked(url, sslmode):
    settled = postgresql.checked_url(make_url(url))
    assert settled.drivername == "postgresql+psycopg"
    assert settled.query.get("sslmode") == sslmode


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u@db.example/facestep?sslmode=require", "verify-full"),
        ("postgresql://u@/facestep?host=127.0.0.1,db.example&sslmode=disable", "verify-full"),
        ("postgresql://u@localhost/facestep?host=db.example&sslmode=prefer", "verify-full"),
        ("postgresql+psycopg2://u@localhost/facestep", "use postgresql://"),
        ("postgresql://u@localhost", "must name host and database"),
        ("postgresql:///facestep", "must name host and database"),
        ("postgresql://u@localhost/facestep?options=-cfsync%3Doff", "options is not understood"),
        ("postgresql://u@localhost/facestep?service=other", "service is not understood"),
    ],
)
def test_a_weaker_or_unclear_way_stops_the_start(url, told):
    with pytest.raises(SettingsError, match=told):
        postgresql.checked_url(make_url(url))


@needs_server
def test_connections_that_the_server_ended_cost_nobody_a_login(store):
    with closing(store.open()) as database:
        for _ in range(2):
            with database.transaction() as session:
                session.execute(text("SELECT 1"))
            with database.reading() as session:
                session.execute(text("SELECT 1"))
            store.run(END_THEM)
        with database.transaction() as session:
            session.add(client())
    assert store.rows("SELECT issuer FROM clients") == [("a",)]


@needs_server
def test_a_connection_that_is_lost_midway_is_unavailable_and_nothing_is_half_written(store):
    def lose():
        with database.transaction() as session:
            session.add(client())
            session.flush()
            store.run(END_THEM)

    with closing(store.open()) as database:
        with pytest.raises(ServiceError) as lost:
            lose()
        assert lost.value.code == "store_unavailable"
        assert store.rows("SELECT issuer FROM clients") == []
        with database.transaction() as session:
            session.add(client())


@needs_server
def test_who_holds_the_lock_in_silence_is_disconnected(store, monkeypatch):
    monkeypatch.setattr(postgresql, "_SILENT_HOLDER_S", 0.5)
    monkeypatch.setattr(postgresql, "_POOL", 1)

    def fall_silent():
        with database.transaction() as session:
            session.add(client())
            session.flush()
            time.sleep(1)

    with closing(store.open()) as database, closing(store.open(busy_timeout_s=3)) as other:
        with pytest.raises(ServiceError, match="store_unavailable"):
            fall_silent()
        with other.transaction() as session:
            assert session.get(Client, "a") is None


@needs_server
def test_a_role_without_rights_is_named_and_not_taken_for_a_mistake(store, postgresql):
    postgresql.run("DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger LOGIN PASSWORD 'x'")
    name = make_url(store.url).database
    with closing(Database(postgresql.url(name, role="stranger", password="x"))) as database:
        with pytest.raises(ServiceError) as refused, database.transaction() as session:
            session.add(client())
        assert refused.value.code == "store_denied"


@needs_server
def test_an_encoding_that_loses_letters_is_refused(postgresql):
    name = "latin"
    postgresql.run(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with closing(Database(postgresql.url(name))) as database, pytest.raises(SettingsError, match="UTF8"):
            database.migrate()
    finally:
        postgresql.run(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_server_that_is_not_there_is_one_line_without_the_password(monkeypatch):
    monkeypatch.setenv("FACESTEP_ISSUER", "http://localhost:8100")
    monkeypatch.setenv("FACESTEP_ENVIRONMENT", "development")
    monkeypatch.setenv("FACESTEP_VAULT_BACKEND", "keyring")
    monkeypatch.setenv("FACESTEP_KEYRING_FILE", "none")
    monkeypatch.setenv("FACESTEP_DATABASE_URL", "postgresql://facestep:marked-password@127.0.0.1:1/facestep")
    told = CliRunner().invoke(main, ["database", "migrate"], prog_name="facestep")
    assert told.exit_code == 2
    assert told.stderr.startswith("facestep: store_unavailable: ")
    assert told.stderr.count("\n") == 1
    assert "marked-password" not in told.output


@needs_server
def test_a_wrong_password_is_not_repeated(store):
    url = make_url(store.url).set(password="marked-password")
    with closing(Database(url.render_as_string(hide_password=False))) as database:
        with pytest.raises(ServiceError) as refused:
            database.check()
        assert "marked-password" not in str(refused.value)


@needs_server
def test_a_lock_of_another_database_on_the_same_server_is_not_ours(store, postgresql):
    with postgresql.database() as other, psycopg.connect(other) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
        with closing(store.open()) as database, database.transaction() as session:
            session.add(client())
        holder.rollback()
