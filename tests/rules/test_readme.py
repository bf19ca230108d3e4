"""README cannot drift: its configuration table is Settings, its commands exist, its links lead somewhere."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from plugin.cli import main
from plugin.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table() -> dict[str, str]:
    return dict(re.findall(r"^\| `([a-z_]+)` \| (.*?) \|", README, flags=re.MULTILINE))


def default_of(field) -> str:
    if field.default is MISSING:
        return "**required**"
    if field.default is None or field.default == "":
        return "not set"
    return f"`{field.default}`"


def test_configuration_table_has_every_setting_with_its_default():
    assert table() == {field.name: default_of(field) for field in fields(Settings)}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_to_files(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\.venv/bin/facestep ([a-z]+(?: [a-z]+)?)", README))))
def test_commands_of_the_readme_exist(command):
    words = command.split()
    answer = CliRunner().invoke(main, [*words, "--help"])
    assert answer.exit_code == 0, answer.output


def test_the_two_commands_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_ci_calls_the_test_command_of_the_readme():
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
