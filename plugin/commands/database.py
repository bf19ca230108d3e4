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
      facestep database roles --service facestep_service
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
def migrate() -> None:
    """Create the tables or bring them up to date; all or nothing, and harmless when there is nothing to do."""
    from plugin.store.database import Database

    with closing(Database(Settings.load().database_url)) as database:
        click.echo(f"the database is at revision {database.migrate()}")


@command.command()
def check() -> None:
    """Exit with status 2 unless the tables are those this version needs.

    With PostgreSQL it warns when the role of database_url may do more to the audit log than add to it.
    """
    from plugin.store.database import Database

    with closing(Database(Settings.load().database_url)) as database:
        database.check()
        for right in database.rights_too_many():
            click.echo(f"facestep: warning: this role has {right}; run `facestep database roles`", err=True)
    click.echo("the database fits this version")


@command.command()
@click.option("--service", default="facestep_service", show_default=True, help="The role that the service logs in as.")
@click.option("--auditor", default="facestep_auditor", show_default=True, help="The role that reads the audit log.")
def roles(*, service: str, auditor: str) -> None:
    """Print SQL for PostgreSQL: two roles, of which one can only add to the audit log and the other only read it.

    Run it as the owner of the tables, after each `facestep database migrate`.
    """
    from plugin.store.roles import grants

    click.echo(grants(service=service, auditor=auditor), nl=False)
