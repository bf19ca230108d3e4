"""privacyIDEA 3.14 from the package index as a peer: own environment, SQLite, gunicorn, loopback only."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stack.process import ChildProcess, answers, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "3.14"
SEED_SCRIPT = """
import json, sys
from privacyidea.app import create_app
app = create_app(config_name="production", config_file=sys.argv[1], silent=True)
with app.app_context():
    from privacyidea.lib.token import init_token
    for serial, key in json.load(sys.stdin):
        init_token({"type": "totp", "otpkey": key, "serial": serial, "timeStep": 30})
"""


class PrivacyIdea:
    """A running peer; `url` answers /validate/check."""

    def __init__(self, folder: Path, *, workers: int) -> None:
        self.folder = folder
        self.workers = workers
        self.environment = Path("~/.cache/facestep/peers").expanduser() / f"privacyidea-{VERSION}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: ChildProcess | None = None

    def install(self) -> None:
        """Make its environment (once)."""
        if (self.environment / "bin" / "pi-manage").exists():
            return
        print(f"· installing privacyIDEA {VERSION} into its own environment", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(self.environment)], check=True)
        python = str(self.environment / "bin" / "python")
        subprocess.run(
            [
                sys.executable,
                "-m",
                "uv",
                "pip",
                "install",
                "-q",
                "--python",
                python,
                f"privacyidea=={VERSION}",
                "gunicorn",
            ],
            check=True,
        )

    def configure(self, secrets: Sequence[tuple[str, bytes]]) -> None:
        """Create keys, tables and one TOTP token for each (serial, secret)."""
        self.folder.mkdir(parents=True)
        config = self.folder / "pi.cfg"
        config.write_text(
            "import logging\n"
            "SUPERUSER_REALM = ['super']\n"
            f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{self.folder}/pi.db'\n"
            "SECRET_KEY = 'only-for-this-benchmark-0123456789abcdef'\n"
            "PI_PEPPER = 'only-for-this-benchmark'\n"
            f"PI_ENCFILE = '{self.folder}/enckey'\n"
            f"PI_AUDIT_KEY_PRIVATE = '{self.folder}/private.pem'\n"
            f"PI_AUDIT_KEY_PUBLIC = '{self.folder}/public.pem'\n"
            f"PI_LOGFILE = '{self.folder}/pi.log'\n"
            "PI_LOGLEVEL = logging.ERROR\n",
        )
        env = {"PRIVACYIDEA_CONFIGFILE": str(config), "PATH": "/usr/bin:/bin"}
        for step in ("create_enckey", "create_audit_keys", "create_tables"):
            subprocess.run(
                [str(self.environment / "bin" / "pi-manage"), "setup", step],
                env=env,
                check=True,
                capture_output=True,
            )
        subprocess.run(
            [str(self.environment / "bin" / "python"), "-c", SEED_SCRIPT, str(config)],
            input=json.dumps([(serial, secret.hex()) for serial, secret in secrets]),
            text=True,
            env=env,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        app = f"privacyidea.app:create_app(config_name='production',config_file='{self.folder}/pi.cfg',silent=True)"
        self._process = ChildProcess(
            [str(self.environment / "bin" / "gunicorn"), "-w", str(self.workers), "-b", f"127.0.0.1:{self.port}", app],
            log=self.folder / "gunicorn.log",
            env={},
            name="privacyIDEA",
        )
        self._process.wait_until(lambda: answers(f"{self.url}/"), seconds=90)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()


def base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode()
