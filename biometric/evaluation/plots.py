"""Plots of a recognition report, as SVG text that needs no other file.

Rules:
 * matplotlib belongs to the extra 'report' and is imported here only, when a report is asked for.
 * The same report gives the same bytes: no date, no chance. Text stays text, so it scales and can be read aloud.
 * Lines are told apart by dash as well as by colour.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.errors import BiometricError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biometric.evaluation.curves import Distribution, Trade

COLOURS: Final = ("#1f4e9c", "#b3480a", "#1a7340")
DASHES: Final = ("-", "--", "-.")


class PlotsUnavailable(BiometricError):  # noqa: N818
    """matplotlib is not installed."""

    code = "plots_unavailable"


def _pyplot() -> Any:
    try:
        import matplotlib as mpl  # noqa: PLC0415  (an extra; see the rules)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as exc:
        raise PlotsUnavailable("matplotlib is missing; install the extra 'report' of this package") from exc
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "facestep", "font.family": "sans-serif"})
    return Figure


def require_plots() -> None:
    """Raise PlotsUnavailable now, before minutes of work, if there will be no plots."""
    _pyplot()


def det_plot(trades: Mapping[str, Trade], *, shipped: tuple[float, float]) -> str:
    """Return the detection error trade-off of each score; `shipped` is FMR and FNMR of the decision as it stands."""
    figure = _pyplot()(figsize=(5.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for (name, curve), colour, dash in zip(trades.items(), COLOURS, DASHES, strict=False):
        fnmr = np.maximum(curve.fnmr, FLOOR)
        axes.step(curve.fmr, fnmr, where="post", color=colour, linestyle=dash, linewidth=1.8, label=name)
    least = min(float(curve.fmr[0]) for curve in trades.values())
    axes.plot(max(shipped[0], least), max(shipped[1], FLOOR), "kD", markersize=7, label="whole decision, as shipped")
    axes.set(xscale="log", yscale="log", xlim=(least, 1), ylim=(FLOOR, 1))
    axes.set(xlabel="FMR: strangers who match", ylabel="FNMR: people refused")
    axes.axvline(1e-4, color="#888888", linewidth=0.8)
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    figure.legend(frameon=False, loc="outside upper center", ncols=2)
    return _svg(figure, "Detection error trade-off of both models and of their fusion")


FLOOR: Final = 1e-4  # a logarithmic axis has no zero


def score_plot(spread: Distribution, *, threshold: float) -> str:
    """Return how the fused scores of one person and of two people are spread, on a logarithmic axis."""
    figure = _pyplot()(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for name, values, colour, dash in (
        ("two people", spread.impostor, COLOURS[1], "--"),
        ("one person", spread.genuine, COLOURS[0], "-"),
    ):
        axes.stairs(values, spread.edges, color=colour, linestyle=dash, linewidth=1.6, label=name)
        axes.stairs(values, spread.edges, color=colour, fill=True, alpha=0.15)
    axes.axvline(threshold, color="black", linewidth=1.2, label=f"threshold {threshold:.2f}")
    axes.set(yscale="log", xlabel="fused score", ylabel="density of pairs")
    axes.grid(visible=True, axis="y", color="#dddddd", linewidth=0.6)
    figure.legend(frameon=False, loc="outside upper center", ncols=3)
    return _svg(figure, "Distribution of fused scores")


def _svg(figure: Any, title: str) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Title": title})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
