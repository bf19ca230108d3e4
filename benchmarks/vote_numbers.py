"""Presentations in a line a species: how many are let in, how long that takes, and the numbers by which a cue decided.

    python -m tests.biometric.liveness.rates --json turn.json --steps turn_left --frames 72
    python -m benchmarks.vote_numbers turn.json --cue planarity --numbers relief bump narrow residual
    python -m benchmarks.vote_numbers near.json --cue perspective --numbers relief --json table.json
    python -m benchmarks.vote_numbers slow.json
    python -m benchmarks.vote_numbers attacks.jsonl --cue colour --numbers relief --only 56 74 79

Reads what `tests.biometric.liveness.rates --json` or `facestep evaluate attacks --resume` wrote. Numbers are least,
median and greatest; a presentation in which the cue measured nothing counts in none of them. Seconds are median and
greatest of those that the whole system lets in.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from biometric.evaluation.presentation import Outcome, from_json
from biometric.liveness.cues.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence


def read(path: Path, only: Sequence[int]) -> dict[str, list[Outcome]]:
    """Return the presentations by species; all numbers if none are named. Raises SystemExit where there are none."""
    found: dict[str, list[Outcome]] = {}
    try:
        head, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for outcome in map(from_json, lines or head["presentations"]):  # a file, or a journal
            if not only or outcome.number in only:
                found.setdefault(outcome.species, []).append(outcome)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise SystemExit(f"{path} holds no presentations: {exc!r}") from exc
    if not found:
        raise SystemExit(f"{path} holds no such presentations")
    return found


def summarise(outcomes: Sequence[Outcome], cue: str, names: Sequence[str]) -> dict[str, object]:
    let_in = [one for one in outcomes if one.accepted(system=True)]
    seconds = [one.seconds for one in let_in]
    summary: dict[str, object] = {
        "n": len(outcomes),
        "let_in": len(let_in),
        "seconds": [round(float(pick(seconds)), 1) for pick in (np.median, max)] if seconds else [],
        "ended": Counter(one.ended for one in outcomes),
    }
    votes = [vote for one in outcomes for vote in one.votes if vote.name == cue]
    for name in names:
        values = [vote.numbers[name] for vote in votes if vote.numbers.get(name) is not None]
        summary["measured"] = len(values)
        summary[name] = [round(float(pick(values)), 3) for pick in (min, np.median, max)] if values else []
    if names:
        verdicts = Counter(vote.verdict for vote in votes)
        summary |= {"confirmed": verdicts[Verdict.CONFIRM], "denied": verdicts[Verdict.DENY]}
    return summary


def check(found: dict[str, list[Outcome]], cue: str, names: Sequence[str]) -> None:
    """Raise SystemExit where no presentation has such a vote with such numbers."""
    votes = [vote for outcomes in found.values() for one in outcomes for vote in one.votes]
    known = {name for vote in votes if vote.name == cue for name in vote.numbers}
    if cue and not known:
        raise SystemExit(f"no presentation has a vote of {cue!r}: {', '.join(sorted({vote.name for vote in votes}))}")
    if unknown := set(names) - known:
        raise SystemExit(f"{cue} has no number {min(unknown)!r}; it has {', '.join(sorted(known))}")


def show(rows: dict[str, dict], names: Sequence[str]) -> None:
    table = Table()
    headings = ("species", "n", "let in", "seconds", *(("measured", "confirmed / denied", *names) if names else ()))
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for species, row in rows.items():
        cells = [species, str(row["n"]), str(row["let_in"]), ", ".join(map(str, row["seconds"])) or "-"]
        if names:
            cells += [str(row["measured"]), f"{row['confirmed']} / {row['denied']}"]
        cells += [" / ".join(f"{value:.2f}" for value in row[name]) or "-" for name in names]
        table.add_row(*cells)
    Console(width=100 + 26 * len(names)).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presentations", type=Path, help="the file with presentations and their votes")
    parser.add_argument("--cue", default="", help="planarity, perspective, colour ...")
    parser.add_argument("--numbers", nargs="+", default=[], help="names of its numbers")
    parser.add_argument("--only", type=int, nargs="+", default=[], help="presentations of these numbers")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if bool(options.cue) != bool(options.numbers):
        parser.error("--cue and --numbers belong together")
    found = read(options.presentations, options.only)
    check(found, options.cue, options.numbers)
    rows = {species: summarise(outcomes, options.cue, options.numbers) for species, outcomes in found.items()}
    show(rows, options.numbers)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
