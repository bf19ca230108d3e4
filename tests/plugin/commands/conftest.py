"""A shell with settings of its own, and the real model files in a folder where one of them can be changed."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from biometric.lock import shipped_lock
from plugin.cli import main


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Run one command with the settings of a development machine."""
    settings = {
        "ISSUER": "http://localhost:8100",
        "DATABASE_URL": f"sqlite:///{tmp_path}/facestep.db",
        "ENVIRONMENT": "development",
        "VAULT_BACKEND": "keyring",
        "KEYRING_FILE": str(tmp_path / "keyring.json"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"FACESTEP_{name}", value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(main, arguments, prog_name="facestep")

    return run


@pytest.fixture
def models(tmp_path):
    """Return a folder with links to the real files."""
    real = Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser()
    folder = tmp_path / "models"
    folder.mkdir()
    for path in real.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def change_one_byte(models):
    """Return a function that puts a copy with one changed byte in the place of a model's link."""

    def change(name):
        path = models / shipped_lock().models[name].file
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.unlink()
        path.write_bytes(content)

    return change
