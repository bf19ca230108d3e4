"""What SQL has no common word for: an INSERT that says what to do when the row is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

_INSERTS: Final[Mapping[str, Callable[[Table], Any]]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def for_each(build: Callable[[Callable[[Table], Any]], Any]) -> dict[str, Any]:
    """Return the statement that `build` makes with each database's own `insert`, by the database's name."""
    return {name: build(insert) for name, insert in _INSERTS.items()}


def of(session: Session) -> str:
    """Return the name of the database that a session speaks to."""
    return session.get_bind().dialect.name
