"""`facestep bench`: CPU seconds, wall time and peak memory of one unit of work.

Rules:
 * A unit is what one person costs: `face` is the face part of one login.
 * What is measured is the code that serves, one process, no warm-up counted.

A part is one file, bench_<part>.py, with a click command called `command`; it is listed when the file is there.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import click

PARTS: Final = ("face", "factor", "login")


class LazyGroup(click.Group):
    """Loads a part only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the parts that this package has."""
        return [name for name in PARTS if find_spec(f"plugin.commands.bench_{name}") is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the part's command, or None if there is no such part."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"plugin.commands.bench_{cmd_name}").command
        return command


@click.group(cls=LazyGroup)
def command() -> None:
    """Measure time and memory of one unit of work.

    \b
    Examples:
      facestep bench face --json face.json
      facestep bench factor --runs 500 --json factor.json
      facestep bench login --json login.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
