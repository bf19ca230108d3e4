"""Find the distribution's Chromium, or install it where that is possible; else say in one line how.

`python -m tests.stack.chromium` is part of `make test`.
"""

from __future__ import annotations

import os
import shutil
import sys

from tests.stack import distribution

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGS = (
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(Exception):  # noqa: N818  (reads as what happened)
    """No Chromium, and no way to install one from here."""


def find() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch_options() -> dict[str, object]:
    """Return what Playwright needs to start the distribution's Chromium."""
    path = find()
    if path is None:
        raise ChromiumMissing(how_to())
    sandbox = () if os.geteuid() else ("--no-sandbox",)  # Chromium refuses its sandbox to root
    return {"executable_path": path, "args": [*ARGS, *sandbox]}


def how_to() -> str:
    return "Chromium is needed for the browser tests; install it (Debian: apt-get install chromium), then run again"


def ensure() -> str:
    """Return Chromium's path, installing the distribution's package when we may.

    Raises:
        ChromiumMissing: with the one line to show.
    """
    path = find()
    if path:
        return path
    try:
        distribution.install("chromium")
    except distribution.CannotInstall as exc:
        raise ChromiumMissing(f"{how_to()} ({exc})") from exc
    path = find()
    if path is None:
        raise ChromiumMissing(how_to())
    return path


def main() -> int:
    try:
        ensure()
    except ChromiumMissing as exc:
        print(f"facestep: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
