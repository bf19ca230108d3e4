"""Find the distribution's Chromium, or install it where that is possible; else say in one line how.

`python -m tests.stack.chromium` is part of `make test`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

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
    apt, sudo = shutil.which("apt-get"), [] if os.geteuid() == 0 else _passwordless_sudo()
    if apt is None or sudo is None or not Path("/etc/debian_version").exists():
        raise ChromiumMissing(how_to())
    print("· installing Chromium from the distribution", flush=True)
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            [*sudo, apt, "-qq", *command],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise ChromiumMissing(f"{how_to()} ({done.stderr.strip().splitlines()[-1:] or 'apt-get failed'})")
    path = find()
    if path is None:
        raise ChromiumMissing(how_to())
    return path


def _passwordless_sudo() -> list[str] | None:
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None


def main() -> int:
    try:
        ensure()
    except ChromiumMissing as exc:
        print(f"facestep: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
