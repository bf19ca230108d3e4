"""The rights that PostgreSQL's roles need, as SQL for the owner of the tables.

Rules:
 * The service reads and writes what it keeps, and can add to the audit log but neither change nor remove an entry. It
   has to read the log, since each entry names the hash of the one before.
 * The auditor reads the log and nothing about people's factors; he writes nothing.
 * Neither owns a table: an owner can give himself any right. The owner migrates and serves nobody.
 * Every table is named: one that a later version adds has no rights until this was run again.

What it cannot do: stop a superuser. The chain and its signed checkpoints show what he did.

Not here: passwords (psql's own command sets them), who may connect (pg_hba.conf).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from plugin.errors import ServiceError
from plugin.store.every_table import METADATA

if TYPE_CHECKING:
    from sqlalchemy import Connection

APPEND_ONLY: Final = ("audit_checkpoints", "audit_entries")
_AUDITED: Final = (*APPEND_ONLY, "audit_positions")
_REVISION: Final = "alembic_version"
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_TO_CHANGE: Final = ("UPDATE", "DELETE", "TRUNCATE")


def grants(*, service: str, auditor: str, schema: str = "public") -> str:
    """Return the SQL that makes both roles where they are missing and gives each what it needs, and no more.

    Raises:
        ServiceError: "role_invalid" for a name that is no plain identifier.
    """
    for name in (service, auditor, schema):
        if _NAME.fullmatch(name) is None:
            raise ServiceError("role_invalid", f"{name!r} must be lower-case letters, digits and underscores")
    if service == auditor:
        raise ServiceError("role_invalid", "service and auditor must be two roles")
    kept = [name for name in sorted(METADATA.tables) if name not in APPEND_ONLY]
    return "\n".join(
        [
            "BEGIN;",
            *(_make_role(name) for name in (service, auditor)),
            f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;",
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {service}, {auditor};",
            f"GRANT USAGE ON SCHEMA {schema} TO {service}, {auditor};",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_listed(schema, kept)} TO {service};",
            f"GRANT SELECT, INSERT ON {_listed(schema, APPEND_ONLY)} TO {service};",
            f"GRANT SELECT ON {_listed(schema, [_REVISION])} TO {service};",
            f"GRANT SELECT ON {_listed(schema, [*_AUDITED, _REVISION])} TO {auditor};",
            "COMMIT;",
            "",
        ]
    )


def rights_too_many(connection: Connection) -> list[str]:
    """Return what the role of this connection may do to the audit log besides adding to it, as "UPDATE on …"."""
    found = []
    for table in APPEND_ONLY:
        for right in _TO_CHANGE:
            asked = text("SELECT has_table_privilege(:table, :right)")
            if connection.scalar(asked, {"table": table, "right": right}):
                found.append(f"{right} on {table}")
    return found


def _make_role(name: str) -> str:
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')"
    return f"DO $$ BEGIN IF {missing} THEN CREATE ROLE {name} LOGIN; END IF; END $$;"


def _listed(schema: str, tables: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"{schema}.{name}" for name in tables)
