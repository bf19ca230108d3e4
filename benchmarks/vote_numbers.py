"""Least, median and greatest of the numbers by which one cue decided, a line for each species of presentations.

    python -m tests.biometric.liveness.rates --json turn.json --steps turn_left --frames 72
    python -m benchmarks.vote_numbers turn.json --cue planarity --numbers relief bump narrow residual
    python -m benchmarks.vote_numbers near.json --cue perspective --numbers relief --json table.json

Reads what `tests.biometric.liveness.rates` or `facestep evaluate attacks --json` wrote. A presentation in which the cue
measured nothing counts as such, and in no quantile.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table


def votes_of(path: Path, cue: str) -> dict[str, list[dict]]:
    """Return by species what the cue said. Raises SystemExit where the file holds no such votes."""
    try:
        presentations = json.loads(path.read_text(encoding="utf-8"))["presentations"]
        found: dict[str, list[dict]] = {}
        for one in presentations:
            found.setdefault(one["species"], []).extend(vote for vote in one["votes"] if vote["name"] == cue)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise SystemExit(f"{path} holds no presentations: {exc}") from exc
    if not any(found.values()):
        raise SystemExit(f"no presentation in {path} has a vote of {cue!r}")
    return found


def summarise(votes: list[dict], names: list[str]) -> dict[str, object]:
    verdicts = Counter(vote["verdict"] for vote in votes)
    summary: dict[str, object] = {"n": len(votes), "confirmed": verdicts["confirm"], "denied": verdicts["deny"]}
    for name in names:
        values = [vote["numbers"][name] for vote in votes if vote["numbers"].get(name) is not None]
        summary["measured"] = len(values)
        summary[name] = [round(float(pick(values)), 3) for pick in (min, np.median, max)] if values else []
    return summary


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presentations", type=Path, help="the file with presentations and their votes")
    parser.add_argument("--cue", required=True, help="planarity, perspective, colour ...")
    parser.add_argument("--numbers", nargs="+", required=True, help="names of its numbers")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = votes_of(options.presentations, options.cue)
    known = {name for votes in found.values() for vote in votes for name in vote["numbers"]}
    if unknown := set(options.numbers) - known:
        raise SystemExit(f"{options.cue} has no number {min(unknown)!r}; it has {', '.join(sorted(known))}")
    rows = {species: summarise(votes, options.numbers) for species, votes in found.items()}
    table = Table(title=f"{options.cue}: least / median / greatest")
    for heading in ("species", "n", "measured", "confirmed / denied", *options.numbers):
        table.add_column(heading, no_wrap=True)
    for species, row in rows.items():
        numbers = (" / ".join(f"{value:.2f}" for value in row[name]) or "-" for name in options.numbers)
        counts = f"{row['confirmed']} / {row['denied']}"
        table.add_row(species, str(row["n"]), str(row["measured"]), counts, *numbers)
    Console(width=72 + 26 * len(options.numbers)).print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
