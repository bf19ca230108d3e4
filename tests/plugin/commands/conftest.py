"""The real model files in a folder of the test's own, so that one of them can be changed."""

import os
from pathlib import Path

import pytest

from biometric.lock import shipped_lock


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
