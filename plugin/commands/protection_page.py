"""The readable page of a protection report: one HTML file that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plugin.commands import reports

if TYPE_CHECKING:
    from pathlib import Path


def write_page(path: Path, report: dict[str, Any], *, title: str) -> None:
    """Write the page. Raises ServiceError report_unwritable."""
    reports.write_page(path, "protection.html", {"share": share}, report=report, title=title)


def share(rate: float) -> str:
    """Return a rate as people read it: percent, and powers of ten below a tenth of a percent."""
    return f"{100 * rate:.2f} %" if rate == 0 or rate >= 1e-3 else f"{rate:.1e}"  # noqa: PLR2004  (0.1 %)
