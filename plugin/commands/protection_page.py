"""The readable page of a protection report: one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from plugin.commands.reports import write_text

_TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates" / "reports"


def write_page(path: Path, report: dict[str, Any], *, title: str) -> None:
    """Write the page. Raises ServiceError report_unwritable."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"share": share}
    write_text(path, environment.get_template("protection.html").render(report=report, title=title))


def share(rate: float) -> str:
    """Return a rate as people read it: percent, and powers of ten below a tenth of a percent."""
    return f"{100 * rate:.2f} %" if rate == 0 or rate >= 1e-3 else f"{rate:.1e}"  # noqa: PLR2004  (0.1 %)
