"""`facestep bench`: CPU seconds, wall time and peak memory of one unit of work.

Rules:
 * A unit is what one person costs: `face` is the face part of one login.
 * What is measured is the code that serves, one process, no warm-up counted.

A part is one file, bench_<part>.py, with a click command called `command`; it is listed when the file is there.
"""

from __future__ import annotations

import click

from plugin.commands.parts import Parts


@click.group(cls=Parts, group="bench", parts=["face", "factor", "login"])
def command() -> None:
    """Measure time and memory of one unit of work.

    \b
    Examples:
      facestep bench face --json face.json
      facestep bench factor --runs 500 --json factor.json
      facestep bench login --json login.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
