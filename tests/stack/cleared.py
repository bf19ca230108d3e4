"""Empty a test's database for the next one, unless the test changed more than rows.

To copy a database takes a tenth of a second, to empty one a thousandth, and most tests want one of their own.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import sql

_OTHERS: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_SHAPE: Final = """
WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT 'relation', relname, concat_ws(' ', relkind, relowner, relrowsecurity), relacl::text FROM ours
UNION ALL SELECT 'column', concat_ws(' ', relname, attname), concat_ws(' ', atttypid, atttypmod, attnotnull, atthasdef),
                 attacl::text
          FROM pg_attribute JOIN ours ON ours.oid = attrelid WHERE attnum > 0
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), '' FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgname, tgenabled::text, '' FROM pg_trigger
UNION ALL SELECT 'rule', rulename, '', '' FROM pg_rewrite JOIN ours ON ours.oid = ev_class
UNION ALL SELECT 'function', proname, '', proacl::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'schema', nspname, nspowner::text, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL SELECT 'default right', defaclrole::text, '', defaclacl::text FROM pg_default_acl
UNION ALL SELECT 'database', '', concat_ws(' ', datdba, datconnlimit), datacl::text FROM pg_database
          WHERE datname = current_database()
UNION ALL SELECT 'setting', setrole::text, setconfig::text, '' FROM pg_db_role_setting
          JOIN pg_database ON setdatabase = pg_database.oid WHERE datname = current_database()
UNION ALL SELECT 'revision', version_num, '', '' FROM alembic_version
ORDER BY 1, 2, 3, 4
"""


def shape_of(url: str) -> list[Any]:
    """Return all of a database but the rows of its tables: what there is, whose it is, who may do what."""
    with psycopg.connect(url) as connection:
        return _shape(connection)


def is_cleared(url: str, *, shape: list[Any]) -> bool:
    """End every other connection, delete every row, and tell whether the database is as it was when it was made."""
    try:
        with psycopg.connect(url, options="-c lock_timeout=5s") as connection:
            connection.execute(_OTHERS)
            if _shape(connection) != shape:
                return False
            for (name,) in connection.execute(_TABLES).fetchall():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("public", name)))
    except psycopg.Error:
        return False
    return True


def _shape(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(_SHAPE).fetchall()
