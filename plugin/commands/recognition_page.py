"""The readable page of a recognition report: one HTML file that needs nothing else.

Rules:
 * The folder is new, empty, or holds an earlier report of this command; anything else is refused before the work.
 * Plots stand in the page as SVG; there is no script and no request to anywhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from biometric.evaluation.groups import LOOSE_FMR
from plugin.commands.reports import UNWRITABLE, write_page, write_text
from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGE: Final = "index.html"
FIGURES: Final = "report.json"
MADE_BY: Final = "facestep evaluate recognition"
SCORES: Final = (("facenet", "FaceNet"), ("sface", "SFace"), ("fused", "both, fused"))


def require(folder: Path) -> None:
    """Return if a report can be written to `folder`.

    Raises:
        ServiceError: report_unwritable, with the reason.
        PlotsUnavailable: matplotlib is missing.
    """
    from biometric.evaluation.plots import require_plots

    require_plots()
    try:
        if folder.exists() and not folder.is_dir():
            raise ServiceError(UNWRITABLE, f"{folder} is a file; name a new folder")
        if folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder):
            raise ServiceError(UNWRITABLE, f"{folder} holds something else; name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ServiceError(UNWRITABLE, f"{folder}: {exc.strerror or exc}") from exc


def _is_ours(folder: Path) -> bool:
    try:
        found = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("made_by") == MADE_BY


def write(
    folder: Path, report: dict[str, Any], *, plots: Mapping[str, str], title: str, command: str, made_on: str
) -> Path:
    """Write the page and the figures; return the page's path. Raises ServiceError report_unwritable."""
    write_page(
        folder / PAGE,
        "recognition.html",
        {"share": share, "number": number, "missed": missed},
        report=report,
        title=title,
        command=command,
        made_on=made_on,
        scores=SCORES,
        loose=LOOSE_FMR,
        acquire=report["failure_to_acquire_rate"],
        det=Markup(plots["det"]),  # noqa: S704  (drawn by plots.py from numbers; no text of anybody else)
        spread=Markup(plots["scores"]),  # noqa: S704
    )
    write_text(folder / FIGURES, json.dumps({"made_by": MADE_BY, "command": command} | report, indent=2) + "\n")
    return folder / PAGE


def share(rate: float) -> str:
    """Return a rate as people read it: percent down to a tenth of a percent, powers of ten below."""
    if rate == 0:
        return "0"
    if rate < 1e-3:  # noqa: PLR2004  (where percent become unreadable)
        return f"{rate:.1e}".replace("e-0", "e-")
    return f"{100 * rate:.1f} %" if rate < 1 else "100 %"


def number(count: int) -> str:
    """Return a count with its thousands apart."""
    return f"{count:,}"


def missed(tar: Mapping[str, float]) -> dict[str, float]:
    """Return FNMR for a TAR, with its interval."""
    return {"value": 1 - tar["value"], "low": 1 - tar["high"], "high": 1 - tar["low"]}
