"""The adversarial report as one page to read, without scripts and without anybody's picture or name."""

from __future__ import annotations

from html import escape
from typing import Any, Final

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid #ccc}"
    "th:first-child,td:first-child{text-align:left}small{color:#555}"
)
_WHO: Final = {
    "facenet_alone": "FaceNet alone",
    "fused_score": "fused score alone",
    "decision": "decision (with floors)",
    "with_detector": "decision and detector",
}


def page(found: dict[str, Any]) -> str:
    """Return the page."""
    attacks = found["attacks"]
    detectors = list(dict.fromkeys(name for row in attacks.values() for name in row["caught_at_1_percent"]))
    box = found["e"]
    accepted = [
        [f"{letter}: {row['attack']}", *(_share(row["accepted_by"][name]) for name in _WHO)]
        for letter, row in attacks.items()
    ]
    accepted.append(["genuine people", *(_share(found["genuine"]["accepted_by"][name]) for name in _WHO)])
    caught = [
        [f"{letter}: {row['attack']}", *(_share(row["caught_at_1_percent"][name]["of_all"]) for name in detectors)]
        for letter, row in attacks.items()
        if row["caught_at_1_percent"]
    ]
    alarms = found["genuine"]["false_alarms_as_shipped"]
    lead = (
        f"<p>{found['pairs']} impostor and victim pairs of real pictures, at most {found['epsilon_levels']:.0f} of 255 "
        f"levels a pixel, {found['steps']} steps; intervals are 95 %. Calibration {escape(found['calibration'])}, "
        f"detector {escape(found['detector'])}.</p>"
    )
    parts = [
        "<h1>Adversarial pictures</h1>",
        lead,
        "<h2>Accepted</h2>",
        _table(["attack", *_WHO.values()], accepted),
        "<h2>Caught at 1 % false alarm</h2>",
        _table(["attack", *detectors], caught),
        "<h2>By yes and no only</h2>",
        f"<p>{box['queries_each']} answers a pair, {box['pairs']} pairs: success {_share(box['success'])}</p>",
        "<h2>False alarms of the shipped threshold</h2>",
        _table(["genuine logins", "called an attack"], [[kind, _share(value)] for kind, value in alarms.items()]),
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Adversarial pictures</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _share(share: dict[str, float]) -> str:
    return f"{share['value']:.1%} <small>({share['low']:.1%} to {share['high']:.1%})</small>"


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table; the first cell of a row is text, the others are shares of ours."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr><td>{escape(row[0])}</td>{''.join(f'<td>{cell}</td>' for cell in row[1:])}</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
