"""Runs the unit tests of the browser code with Node's own test runner, on the Node that Playwright brings along."""

import subprocess
from pathlib import Path

import playwright
import pytest

HERE = Path(__file__).parent
NODE = Path(playwright.__file__).parent / "driver" / "node"
FILES = sorted(HERE.glob("*.test.mjs"))


def test_there_are_tests_to_run():
    assert NODE.is_file()
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_browser_code_keeps_its_promises(file):
    run = subprocess.run([NODE, "--test", file], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n\u2139 fail 0" in run.stdout or "# fail 0" in run.stdout
