"""`facestep train`: train our own small models again, from data of your own, on the record."""

from __future__ import annotations

import click

from plugin.commands.parts import Parts


@click.group(cls=Parts, group="train", parts=["agreement", "texture"])
def command() -> None:
    """Train our own small models again; what comes out says what went in.

    \b
    Examples:
      facestep train texture --data ../shared/data --out texture_net
      facestep train agreement --images faces --calibration calibration.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
