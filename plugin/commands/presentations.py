"""The outcomes that a command asks for: those its journal holds, and the missing ones, made while a bar shows how far.

Not here: what a journal and a run are (biometric/evaluation/presentation_run.py), which outcomes a command wants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.commands.progress import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from biometric.evaluation.presentation import Outcome
    from biometric.evaluation.presentation_run import Journal, SourceSpec


def outcomes_of(
    wanted: Sequence[tuple[str, int]],
    spec: SourceSpec,
    *,
    title: str,
    journal: Journal | None,
    models_dir: Path,
    jobs: int,
) -> list[Outcome]:
    """Return an outcome of each (species, number): first those of the journal, then the new ones, each written down."""
    from biometric.evaluation.presentation_run import missing, run

    asked, before = set(wanted), journal.read() if journal is not None else []
    outcomes = [one for one in before if (one.species, one.number) in asked]
    with counted(title, len(wanted), len(outcomes)) as advance:

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            if journal is not None:
                journal.add(outcome)
            advance()

        run(missing(wanted, outcomes), spec, models_dir=models_dir, jobs=jobs, done=done)
    return outcomes
