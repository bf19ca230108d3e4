"""Whoever takes over the service has its database role. With PostgreSQL it can add to the audit log, and nothing else.

The SQL is what `facestep database roles` prints, run by the owner of the tables on a real server.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from plugin.audit.chain import ChainBroken
from plugin.audit.checkpoints import Checkpoints
from plugin.audit.log import AuditLog
from plugin.cli import main
from plugin.errors import ServiceError
from plugin.store.database import Database
from plugin.store.roles import APPEND_ONLY, grants
from plugin.store.tables import Base
from tests.plugin.factors.worlds import ServerWorld

pytestmark = pytest.mark.servers
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SERVICE, AUDITOR = "facestep_service", "facestep_auditor"


@pytest.fixture(scope="module")
def house(postgresql):
    """A database with its roles, and the addresses that each of them logs in at."""
    with postgresql.database() as owner:
        name = make_url(owner).database
        sql = CliRunner().invoke(main, ["database", "roles"]).stdout
        postgresql.run(sql, sql, database=name)  # twice: a later version runs it again
        for role in (SERVICE, AUDITOR):
            postgresql.run(f"ALTER ROLE {role} PASSWORD 'x'")
        urls = {role: postgresql.url(name, role=role, password="x") for role in (SERVICE, AUDITOR)}
        yield {"owner": owner, **urls}
        postgresql.run(*(f"DROP OWNED BY {role}" for role in (SERVICE, AUDITOR)), database=name)
        postgresql.run(*(f"DROP ROLE {role}" for role in (SERVICE, AUDITOR)))


@pytest.fixture
def world(house, tmp_path):
    """The service with its own role; entries of one test are there for the next."""
    made = ServerWorld(tmp_path, house[SERVICE])
    yield made
    made.database.close()


def test_the_service_does_everything_with_this_role(world):
    alice = world.person("role-alice").has_face()
    view = alice.shows("alice", alice.proves_totp())
    world.redeem(world.ceremonies.issue_code(view, now=world.now))
    assert world.enrolment.erase(alice.owner, now=world.now)
    world.ceremonies.purge(now=world.now)
    checkpoints = Checkpoints(world.database, signer=world.sealer, deployment="https://facestep.example")
    checkpoints.make(now=world.now)
    chain, signed = checkpoints.verify()
    assert (chain.head.seq, len(signed)) == (signed[-1].seq, 1)
    world.database.check()
    assert world.database.rights_too_many() == []


FORBIDDEN = [
    *(
        statement.format(table=table)
        for table in APPEND_ONLY
        for statement in (
            "UPDATE {table} SET stream = 'x'",
            "DELETE FROM {table}",
            "TRUNCATE {table}",
            "DROP TABLE {table}",
            "ALTER TABLE {table} ADD COLUMN x int",
            "ALTER TABLE {table} RENAME TO gone",
            "ALTER TABLE {table} DISABLE TRIGGER ALL",
            "CREATE RULE quiet AS ON INSERT TO {table} DO INSTEAD NOTHING",
            "CREATE TRIGGER quiet BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION lo_manage('x')",
            "SELECT * FROM {table} FOR UPDATE",
            "DO $$ BEGIN LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; END $$",
        )
    ),
    "INSERT INTO audit_entries SELECT * FROM audit_entries ON CONFLICT (stream, seq) DO UPDATE SET subject = 'mallory'",
    "UPDATE alembic_version SET version_num = '0001'",
    "DELETE FROM alembic_version",
    "CREATE TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SET ROLE admin",
    "ALTER ROLE facestep_service SUPERUSER",
    "SET session_replication_role = replica",
    "COPY audit_entries TO PROGRAM 'cat'",
    "COPY audit_entries FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
]


@pytest.fixture(scope="module")
def service_connection(house):
    with psycopg.connect(house[SERVICE], autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_what_the_services_role_cannot_do(house, service_connection, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service_connection.execute(statement)


def test_it_cannot_pass_on_rights(house, service_connection):
    """PostgreSQL answers with a warning and grants nothing."""
    service_connection.execute("GRANT ALL ON audit_entries, totp_secrets TO PUBLIC")
    assert not may_read(house[AUDITOR], "totp_secrets")


def test_an_entry_that_the_taken_over_service_makes_up_is_in_the_chain_or_is_found(house, world, service_connection):
    """It may add; what it adds is an entry like any other, or does not fit."""
    world.audit.append("erased", at=NOW)
    service_connection.execute(
        "INSERT INTO audit_entries SELECT stream, (SELECT max(seq) + 1 FROM audit_entries), at_ms, 'enrolled', issuer,"
        " subject, ceremony_id, details, previous_hash, entry_hash FROM audit_entries LIMIT 1"
    )
    with pytest.raises(ChainBroken):
        world.audit.verify()


def test_the_auditor_proves_the_log_and_sees_nothing_else(house, tmp_path):
    with closing(Database(house[AUDITOR])) as database:
        database.check()
        assert AuditLog(database).entries(limit=3)
        with pytest.raises(ServiceError) as refused:
            AuditLog(database).append("erased", at=NOW)
        assert refused.value.code == "store_denied"
    seen = {name for name in Base.metadata.tables if may_read(house[AUDITOR], name)}
    assert seen == {"audit_checkpoints", "audit_entries", "audit_positions"}


def may_read(url, table):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT has_table_privilege(%s, 'SELECT')", [table]).fetchone()[0]


def test_an_owner_is_told_that_he_may_too_much(house):
    with closing(Database(house["owner"])) as database:
        assert "DELETE on audit_entries" in database.rights_too_many()


def test_every_table_is_either_granted_or_append_only(house):
    with psycopg.connect(house[SERVICE]) as connection:
        for table in Base.metadata.tables:
            asked = "SELECT has_table_privilege(%s, 'INSERT'), has_table_privilege(%s, 'DELETE')"
            assert connection.execute(asked, [table, table]).fetchone() == (True, table not in APPEND_ONLY)


def test_the_sql_names_every_table_whatever_else_was_imported(postgresql):
    """Printed by a process that has loaded nothing of the helpdesk."""
    printed = subprocess.run(
        [sys.executable, "-c", "from plugin.cli import main; main(['database', 'roles'])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with postgresql.database() as url, psycopg.connect(url.replace("+psycopg", "")) as connection:
        made = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in made} == set(re.findall(r"public\.(\w+)", printed))


def test_the_sql_in_the_documentation_is_what_is_printed():
    text = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    shown = re.search(r"```sql\n(.*?)```", text, re.DOTALL)[1].splitlines()
    assert len(shown) == 3
    assert set(shown) <= set(grants(service=SERVICE, auditor=AUDITOR).splitlines())


@pytest.mark.parametrize("name", ["", "a b", "a;b", 'a"b', "A", "1a", "a" * 64, "a'"])
def test_a_name_that_would_be_more_than_a_name_is_refused(name):
    with pytest.raises(ServiceError, match="role_invalid"):
        grants(service=name, auditor="b")
    with pytest.raises(ServiceError, match="role_invalid"):
        grants(service="same", auditor="same")
