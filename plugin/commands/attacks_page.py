"""What `facestep evaluate attacks` shows: a few lines for the terminal, and a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plugin.commands import reports
from plugin.commands.reports import UNWRITABLE, write_text
from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


def percent(found: Mapping[str, Any] | None) -> str:
    """Return a share with its interval, `0.0 % (0.0 to 2.4)`."""
    if found is None or found["rate"] is None:
        return "-"
    return f"{100 * found['rate']:.1f} % ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def most(counts: Mapping[str, int], *, names: int = 4) -> str:
    """Return the most frequent names with their counts."""
    return ", ".join(f"{name} {count}" for name, count in list(counts.items())[:names])


def write_page(folder: Path, result: Mapping[str, Any]) -> None:
    """Write attacks.html and the same tables as attacks.md into `folder`.

    Raises:
        ServiceError: report_unwritable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ServiceError(UNWRITABLE, f"{folder}: {exc.strerror or exc}") from exc
    write_text(folder / "attacks.md", markdown(result))
    reports.write_page(folder / "attacks.html", "attacks.html", {"percent": percent, "most": most}, **result)


def markdown(result: Mapping[str, Any]) -> str:
    """Return the tables of a run as Markdown."""
    genuine, attacks = result["genuine"], result["attacks"]
    mark = " (simulated)" if result["simulated"] else ""
    rows: list[list[object]] = []
    if genuine["presentations"]:
        rows.append(["person who obeys", genuine["presentations"], f"BPCER {percent(genuine['bpcer'])}", "", "", ""])
    for name, row in attacks.items():
        rates = [percent(row[rate]) for rate in ("apcer", "iapar", "apnrr")]
        rows.append([name, row["presentations"], *rates, most(row["first_cue"])])
    table = _table([f"presentation{mark}", "number", "APCER", "IAPAR", "APNRR", "first refused by"], rows)
    species = list(result["ablation"].get("none", {}).get("accepted", {}))
    without: list[list[object]] = [
        [cue, *(row["accepted"][name] for name in species), percent(row["bpcer"])]
        for cue, row in result["ablation"].items()
    ]
    return f"{table}\n\n{_table([f'without{mark}', *species, 'BPCER'], without)}\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def summary(result: Mapping[str, Any]) -> str:
    """Return the figures as lines."""
    return "\n".join(_lines(result))


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    mark = " (simulated)" if result["simulated"] else ""
    genuine = result["genuine"]
    if genuine["presentations"]:
        yield f"genuine{mark}: {genuine['presentations']} of {genuine['people']} people"
        yield f"  BPCER {percent(genuine['bpcer'])}, refused by the system {percent(genuine['refused_by_system'])}"
        for cue, found in genuine["bpcer_by_cue"].items():
            if found["count"]:
                yield f"  refused by {cue}: {found['count']}"
    for name, row in result["attacks"].items():
        yield f"{name}{mark}: {row['presentations']}"
        yield f"  APCER {percent(row['apcer'])}, IAPAR {percent(row['iapar'])}, APNRR {percent(row['apnrr'])}"
        yield f"  first refused by {most(row['first_cue']) or 'nothing'}; in all by {most(row['all_cues'], names=8)}"
    for group, worst in result["worst"].items():
        if worst is not None:
            yield f"worst of {group}{mark}: {worst['species']}, APCER {percent(worst)}"
    if result["attacks"]:
        yield f"without one cue{mark}: attacks that liveness accepts, genuine that it refuses"
        for cue, row in result["ablation"].items():
            let_in = {name: count for name, count in row["accepted"].items() if count}
            yield f"  {cue:12} {most(let_in, names=20) or 'no attack'}; BPCER {percent(row['bpcer'])}"
    yield f"CPU seconds a presentation, made and judged: {result['cpu_s']['mean']:.1f}" if result["cpu_s"] else ""
    yield from _clip_lines(result["clips"])


def _clip_lines(clips: Mapping[str, Any] | None) -> Iterator[str]:
    if clips is None:
        return
    counted = clips["summary"]
    yield f"real clips: genuine {counted['genuine']['clips']}, {counted['genuine']['refused']} refused"
    for entry in clips["clips"]:
        if entry["label"] == "genuine" and not entry["accepted"]:
            why = [f"{cue}:{reason}" for cue, reason in entry.get("why", {}).items()] or entry["denied_by"]
            yield f"  clip {entry['clip']} ({entry['steps']}): {entry.get('error') or ', '.join(why)}"
    for name, row in sorted(counted["attacks"].items()):
        yield f"  attack {name}: {row['clips']}, {row['accepted']} accepted"
