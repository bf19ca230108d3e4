"""Install a package of the distribution where that is possible, without asking anybody."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class CannotInstall(Exception):  # noqa: N818  (reads as what happened)
    """Not a Debian, not allowed to, or apt-get failed; the text says which."""


def install(package: str) -> None:
    """Install one package with apt-get. Raises CannotInstall."""
    apt, sudo = shutil.which("apt-get"), [] if os.geteuid() == 0 else _passwordless_sudo()
    if apt is None or sudo is None or not Path("/etc/debian_version").exists():
        raise CannotInstall("it cannot be installed from here")
    print(f"· installing {package} from the distribution", flush=True)
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        done = subprocess.run(
            [*sudo, apt, "-qq", *command],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise CannotInstall(str(done.stderr.strip().splitlines()[-1:] or "apt-get failed"))


def _passwordless_sudo() -> list[str] | None:
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None
