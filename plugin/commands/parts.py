"""A group of commands of which each is a file of its own, loaded only when it is asked for, so that --help is quick."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parts(click.Group):
    """Part NAME of a group GROUP is plugin/commands/GROUP_NAME.py, with a click command called `command`.

    A part whose file is not in this package is not listed.
    """

    def __init__(self, *, group: str, parts: Sequence[str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._modules = {name: f"plugin.commands.{group}_{name}" for name in parts}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the parts that this package has."""
        return [name for name, module in self._modules.items() if find_spec(module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the part's command, or None if there is no such part."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(self._modules[cmd_name]).command
        return command
