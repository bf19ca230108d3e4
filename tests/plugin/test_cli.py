"""The command itself: lazy, one line an error, no traceback."""

import subprocess
import sys
from importlib import metadata

import click
import pytest
from click.testing import CliRunner

from biometric.errors import ModelMissing
from plugin import cli
from plugin.errors import ServiceError, SettingsError
from vault.interface import VaultUnavailable


@pytest.fixture
def run(monkeypatch):
    """Run `facestep probe`, a command that raises what a test says."""

    def call(error, *options):
        def fail():
            raise error

        monkeypatch.setattr(cli.LazyGroup, "list_commands", lambda *_: ["probe"])
        probe = type("Module", (), {"command": click.Command("probe", callback=fail)})
        monkeypatch.setattr(cli, "import_module", lambda _: probe)
        return CliRunner().invoke(cli.main, [*options, "probe"])

    return call


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SettingsError("issuer is not set"), "facestep: settings_invalid: issuer is not set"),
        (ServiceError("internal"), "facestep: internal: Something went wrong on our side. Nothing was accepted"),
        (ModelMissing("yunet"), "facestep: model_missing: yunet; run `facestep models fetch`"),
        (
            VaultUnavailable("the vault is sealed\nand says so"),
            f"facestep: vault_unavailable: the vault is sealed and says so; {cli.WHAT_TO_DO['vault_unavailable']}",
        ),
        (
            RuntimeError("with a secret"),
            "facestep: internal: unexpected RuntimeError; run `facestep --debug …` to see where",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_failure_is_one_line_and_exit_status_2(run, error, line):
    result = run(error)
    assert (result.exit_code, result.stderr, result.stdout) == (2, line + "\n", "")


def test_debug_shows_the_traceback(run):
    result = run(RuntimeError("where"), "--debug")
    assert isinstance(result.exception, RuntimeError)


def test_an_unknown_command_is_said_to_be_unknown():
    result = CliRunner().invoke(cli.main, ["nonsense"])
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.stderr


def test_the_version_is_the_packages():
    result = CliRunner().invoke(cli.main, ["--version"])
    assert result.stdout == f"facestep, version {metadata.version('facestep')}\n"


def test_help_lists_every_command_without_importing_one():
    code = (
        "import sys; from plugin.cli import main; main(['--help'], standalone_mode=False); "
        "print([name for name in sys.modules if name.startswith(('plugin.commands.', 'numpy', 'flask', 'sqlalchemy'))])"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert seen.splitlines()[-1] == "[]"
    for name in ("clients", "invite", "serve"):
        assert f"\n  {name} " in seen


@pytest.mark.parametrize("name", ["clients", "invite", "serve", "clients add", "clients list", "clients remove"])
def test_every_command_explains_itself(name):
    result = CliRunner().invoke(cli.main, [*name.split(), "--help"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 5
    if " " not in name:
        assert "Examples:\n    " in result.stdout
