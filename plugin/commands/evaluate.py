"""`facestep evaluate`: measure error rates, one file a part, on pictures and clips of your own."""

from __future__ import annotations

import click

from plugin.commands.parts import Parts


@click.group(
    cls=Parts, group="evaluate", parts=["recognition", "ceremony", "texture", "attacks", "adversarial", "protection"]
)
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
