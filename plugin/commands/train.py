"""`facestep train`: train our own small models again, from data of your own, on the record."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import click

PARTS: Final = {
    "agreement": "plugin.commands.train_agreement",
    "texture": "plugin.commands.train_texture",
}
"""Each module holds a command of its part's name."""


class LazyGroup(click.Group):
    """Loads a part only when it is asked for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the parts that this package has."""
        return [name for name, module in PARTS.items() if find_spec(module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the part's command, or None if there is no such part."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(PARTS[cmd_name]), cmd_name)
        return command


@click.group(cls=LazyGroup)
def command() -> None:
    """Train our own small models again; what comes out says what went in.

    \b
    Examples:
      facestep train texture --data ../shared/data --out texture_net
      facestep train agreement --images faces --calibration calibration.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
