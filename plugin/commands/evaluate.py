"""`facestep evaluate`: measure error rates, one file a part, on pictures and clips of your own."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import click

PARTS: Final = {
    "recognition": "plugin.commands.evaluate_recognition",
    "ceremony": "plugin.commands.evaluate_ceremony",
    "texture": "plugin.commands.evaluate_texture",
    "attacks": "plugin.commands.evaluate_attacks",
    "adversarial": "plugin.commands.evaluate_adversarial",
    "protection": "plugin.commands.evaluate_protection",
}


class LazyGroup(click.Group):
    """Loads a part only when it is asked for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the parts that this package has."""
        return [name for name, module in PARTS.items() if find_spec(module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the part's command, or None if there is no such part."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(PARTS[cmd_name]).command
        return command


@click.group(cls=LazyGroup)
def command() -> None:
    """Measure error rates on data of your own.

    \b
    Examples:
      facestep evaluate recognition --images faces/ --report report/
      facestep evaluate attacks --presentations 8 --genuine 8
      facestep evaluate adversarial --images faces/ --quick
      facestep evaluate texture --data data/ --json texture.json
      facestep evaluate ceremony --clips clips.csv --json out.json
      facestep evaluate protection --images faces/ --json protection.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
