"""`facestep database`: make the tables, bring them up to date, say whether they fit."""

from __future__ import annotations

from contextlib import closing

import click

from plugin.settings import Settings


@click.group()
def command() -> None:
    """Create, migrate and check the database.

    \b
    Examples:
      facestep database migrate
      facestep database check
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
def migrate() -> None:
    """Create the tables or bring them up to date; all or nothing, and harmless when there is nothing to do."""
    from plugin.store.database import Database

    with closing(Database(Settings.load().database_url)) as database:
        click.echo(f"the database is at revision {database.migrate()}")


@command.command()
def check() -> None:
    """Exit with status 2 unless the tables are those this version needs."""
    from plugin.store.database import Database

    with closing(Database(Settings.load().database_url)) as database:
        database.check()
    click.echo("the database fits this version")
