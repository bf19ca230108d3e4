"""Files that commands write: one option, one look beforehand, one way of writing; pages have one frame.

Rules:
 * A file that cannot be written is noticed while the command line is read, before minutes of work.
 * Looking changes nothing: no file appears, none is emptied.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

Function = TypeVar("Function", bound=Callable[..., Any])

UNWRITABLE: Final = "report_unwritable"
_TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"


def writable(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Return `path` if a file can be written there now; for click, as an option's callback.

    Raises:
        ServiceError: report_unwritable, with the reason.
    """
    del parameter
    if path is not None and not ctx.resilient_parsing:  # else the shell only completes a word
        check_writable(path)
    return path


def check_writable(path: Path) -> None:
    """Raise ServiceError (report_unwritable, with the reason) unless a file can be written there now."""
    try:
        if path.is_file():
            with path.open("ab"):
                return
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        if not path.exists():  # else a device or a pipe, which is not opened twice
            with tempfile.TemporaryFile(dir=path.parent):
                return
    except OSError as exc:
        raise ServiceError(UNWRITABLE, f"{path}: {exc.strerror or exc}") from exc


def report_option(*names: str, help: str) -> Callable[[Function], Function]:  # noqa: A002  (click's name for it)
    """Return an option that takes the path of a file to write, as `out`."""
    return click.option(*names, "out", type=click.Path(path_type=Path), callback=writable, required=True, help=help)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file.

    Raises:
        ServiceError: report_unwritable.
    """
    try:
        path.write_bytes(content)
    except OSError as exc:
        raise ServiceError(UNWRITABLE, f"{path}: {exc.strerror or exc}") from exc


def write_json(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report."""
    write_text(path, json.dumps(report, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        ServiceError: report_unwritable.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise ServiceError(UNWRITABLE, f"{path}: {exc.strerror or exc}") from exc


def write_page(path: Path, template: str, filters: Mapping[str, Callable[..., Any]], **values: Any) -> None:
    """Write templates/reports/`template`, filled: one HTML file that needs nothing else.

    Raises:
        ServiceError: report_unwritable.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    write_text(path, environment.get_template(f"reports/{template}").render(**values))
