"""A database that one test used is empty for the next, and one that a test changed otherwise is not used again."""

import psycopg
import pytest

pytestmark = pytest.mark.servers
ROW = "INSERT INTO clients VALUES ('a', '', '', 1)"


def used(server, *statements):
    """Let a test do this with a database of its own; return its address."""
    with server.database() as url, psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
        return url


def test_rows_are_gone_and_the_database_is_used_again(postgresql):
    first = used(postgresql, ROW)
    with postgresql.database() as url, psycopg.connect(url) as connection:
        assert url == first
        assert connection.execute("SELECT count(*) FROM clients").fetchone() == (0,)


def test_who_is_still_connected_is_ended_with_what_he_holds(postgresql):
    with postgresql.database() as url:
        holder = psycopg.connect(url)
        holder.execute(ROW)
    assert used(postgresql, ROW) == url
    with pytest.raises(psycopg.OperationalError):
        holder.execute("SELECT 1")
    holder.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = '0000'",
        "CREATE TABLE more (name TEXT)",
        "ALTER TABLE clients ADD COLUMN more TEXT",
        "ALTER TABLE clients ALTER COLUMN jwks_uri DROP NOT NULL",
        "DROP INDEX ix_audit_subject",
        "GRANT SELECT ON audit_entries TO PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_database_that_was_changed_otherwise_is_not_used_again(postgresql, change):
    changed = used(postgresql, change)
    assert used(postgresql) != changed


def test_a_changed_setting_of_a_database_is_noticed(postgresql):
    with postgresql.database() as changed:
        name = changed.rpartition("/")[2]
        postgresql.run(f"ALTER DATABASE {name} SET work_mem = '1MB'")
    assert used(postgresql) != changed
