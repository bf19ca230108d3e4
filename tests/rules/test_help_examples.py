"""Every example in a command's help, and behind the figures of two pages, is one that the command takes; nothing is run."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path

import click
import pytest

from plugin.cli import main
from plugin.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def commands(command, context):
    """Every command and group below `command`, with the words that lead to it."""
    yield context.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            yield from commands(inner, click.Context(inner, info_name=name, parent=context))


def examples(command):
    """The lines of a paragraph that click leaves as it is and that is called "Example:" or "Examples:"."""
    found = re.search(r"^\x08\nExamples?:\n((?:[ ]+\S.*\n?)+)", cleandoc(command.help or ""), flags=re.MULTILINE)
    return [" ".join(line.split()) for line in found.group(1).splitlines()] if found else []


ALL = dict(commands(main, click.Context(main, info_name="facestep")))
EXAMPLES = sorted({line for command in ALL.values() for line in examples(command)})


def parse(words, command=main, parent=None, name="facestep"):
    """Let click read the words as it would when they are run, group by group."""
    context = command.make_context(name, list(words), parent=parent)
    if isinstance(command, click.Group):
        name, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        parse(rest, inner, context, name)


@pytest.fixture(autouse=True)
def _files_of_the_examples(tmp_path, monkeypatch):
    """Options that ask for an existing file find one."""
    monkeypatch.chdir(tmp_path)
    for line in EXAMPLES:
        for word in shlex.split(line)[1:]:
            if re.fullmatch(r"[\w-]+\.(jpg|csv|txt|json)", word):
                (tmp_path / word).touch()


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_understood(line):
    words = shlex.split(line)
    start = words.index("facestep")
    variables = [word.partition("=")[0].removeprefix("FACESTEP_").lower() for word in words[:start]]
    assert set(variables) <= {field.name for field in fields(Settings)} | {"config"}
    parse(words[start + 1 :])


def measurements():
    """The commands behind the figures of these pages, a backslash at the end joining the next line."""
    pages = ((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("calibration", "protection"))
    text = "\n".join(pages).replace("\\\n", " ")
    lines = re.findall(r"^(?:[A-Z] )? +((?:facestep|python) .*)", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("words", measurements(), ids=lambda words: " ".join(words[:3]))
def test_the_commands_behind_the_figures_exist(words, tmp_path):
    (tmp_path / "real").mkdir()
    if words[0] == "facestep":
        parse(words[1:])
    else:
        script = f"{words[2].replace('.', '/')}.py" if words[1] == "-m" else words[1]
        assert (ROOT / script).is_file()


@pytest.mark.parametrize("name", ALL)
def test_no_example_stands_where_click_would_wrap_it(name):
    shown = [" ".join(line.split()) for line in (ALL[name].help or "").splitlines()]
    assert [line for line in shown if line.startswith("facestep ")] == [
        line for line in examples(ALL[name]) if line.startswith("facestep ")
    ]


@pytest.mark.parametrize("name", [name for name in ALL if name.count(" ") == 1])
def test_every_command_shows_an_example(name):
    inner = [examples(command) for other, command in ALL.items() if other == name or other.startswith(f"{name} ")]
    assert any(inner)


@pytest.mark.parametrize("line", ["bench face --picture me.jpg --json o.json", "bench nothing", "compare one.jpg"])
def test_a_wrong_example_would_be_found(line):
    with pytest.raises(click.UsageError):
        parse(line.split())
