"""What `facestep calibrate liveness` measures: presentations of the laboratory, films and pictures of people.

Rules:
 * Each course of presentations has a journal of its own, so that an interrupted run goes on where it was.
 * Of films and pictures only numbers are kept, under no name.

Not here: what follows from them (biometric/evaluation/limits.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING, Final

import click

from plugin.commands.presentations import outcomes_of
from plugin.commands.progress import counted
from plugin.commands.reports import writable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from biometric.evaluation.limits import Chosen
    from biometric.evaluation.presentation import Outcome
    from biometric.evaluation.presentation_run import SourceSpec
    from biometric.evaluation.quality import Seen
    from biometric.limits import Limits

LABORATORY: Final = "tests.simulator.laboratory"
COURSES: Final[Mapping[str, Mapping[str, str | int]]] = {
    "full": {},
    "turn": {"steps": "turn_left", "frames": 90},
    "near": {"steps": "closer flash", "frames": 240},
    "slow": {"fps": 5},
}
"""How each course differs from whole challenges, drawn, at the page's usual pace."""
CLIP_LIST: Final = "clips.csv"
FILMED: Final = ("continuity", "repetition", "planarity", "surface")
"""Cues that have something to measure in films, which hold no light of ours and no approach."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    presentations: int
    genuine: int
    seed: int
    photos: Path | None
    clips: Path | None
    pictures: tuple[Path, ...]
    webcam: tuple[Path, ...]
    journals: Path | None
    jobs: int

    def source(self, course: str) -> SourceSpec:
        """Return the laboratory for a course."""
        from biometric.evaluation.presentation_run import SourceSpec

        photos = self.photos.resolve() if self.photos is not None else None
        return SourceSpec(LABORATORY, {"photos": photos, "seed": self.seed, "judges": False, **COURSES[course]})

    def said(self) -> str:
        """Return the command without anybody's paths."""
        words = ["facestep calibrate liveness"]
        words += [f"--{name} {getattr(self, name)}" for name in ("presentations", "genuine", "seed")]
        words += [f"--{name} DIR" for name in ("photos", "clips") if getattr(self, name) is not None]
        words += [f"--{name} DIR" for name in ("pictures", "webcam") for _ in getattr(self, name)]
        return " ".join(words)


def present(asked: Asked, models_dir: Path) -> dict[str, list[Outcome]]:
    """Make what is missing in every course; return all outcomes by course."""
    from biometric.evaluation.limits import PEOPLE_IN, SPECIES_IN
    from biometric.evaluation.presentation import GENUINE

    made: dict[str, list[Outcome]] = {}
    for course in COURSES:
        tasks = [(name, number) for name in SPECIES_IN[course] for number in range(asked.presentations)]
        tasks += [(GENUINE, number) for number in range(asked.genuine)] if course in PEOPLE_IN else []
        made[course] = _course(course, tasks, asked, models_dir)
    return made


def _course(course: str, tasks: Sequence[tuple[str, int]], asked: Asked, models_dir: Path) -> list[Outcome]:
    from biometric.evaluation.presentation_run import Journal

    spec, book = asked.source(course), None
    if asked.journals is not None:
        asked.journals.mkdir(parents=True, exist_ok=True)
        path = asked.journals / f"{course}.jsonl"
        writable(click.get_current_context(), click.Argument(["path"]), path)
        book = Journal(path, fingerprint=spec.open().fingerprint())
    title = f"{course} course (simulated)"
    return outcomes_of(tasks, spec, title=title, journal=book, models_dir=models_dir, jobs=asked.jobs)


def look_at_films(clips: Path | None, models_dir: Path) -> list[dict[str, float]]:
    """Return what the cues measured in each film of a person."""
    from biometric.errors import BiometricError
    from biometric.evaluation.ceremony import GENUINE, run_login
    from biometric.evaluation.limits import numbers_of
    from biometric.liveness.fusion import CUES
    from biometric.pipeline import FacePipeline
    from plugin.commands.clip_list import read_rows

    if clips is None:
        return []
    rows = [row for row in read_rows(clips / CLIP_LIST) if row.label == GENUINE]
    pipeline, found = FacePipeline.open(models_dir), []
    with counted("films of people", len(rows)) as advance:
        for row in rows:
            try:
                evidence = run_login(row, pipeline).evidence
            except (BiometricError, ValueError):
                continue  # no film, or steps that are none
            finally:
                advance()
            found.append(numbers_of(CUES[name](evidence) for name in FILMED))
    return found


def look_at_pictures(asked: Asked, models_dir: Path) -> dict[str, list[list[Seen]]]:
    """Return what was seen in each folder of pictures: of the stills, and of people at a camera (`live`)."""
    folders = {"still": asked.pictures, "live": asked.webcam}
    return {part: [_look_through(folder, part, models_dir) for folder in of] for part, of in folders.items()}


def quality_limits(pictures: Mapping[str, Sequence[Sequence[Seen]]], before: Limits) -> dict[str, Chosen]:
    """Return the limits of the quality gate, for stills and for people at a camera."""
    from biometric.evaluation.limits import choose_quality
    from biometric.limits import QualityLimits

    chosen = {}
    for part, folders in pictures.items():
        for one in fields(QualityLimits):
            figure = one.name.partition("_")[2]
            values = {
                f"{part} {number}": [float(getattr(one.figures, figure)) for one in seen]
                for number, seen in enumerate(folders, start=1)
            }
            in_force = getattr(getattr(before, part), one.name)
            chosen[f"{part}.{one.name}"] = choose_quality(part, one.name, values, before=in_force)
    return chosen


def single_looks(pictures: Mapping[str, Sequence[Sequence[Seen]]]) -> list[dict[str, float]]:
    """Return what the surface cue would hold against people at a camera if every look were like the one picture."""
    from biometric.liveness.cues.surface import SIGNS

    return [
        {f"surface.{sign}_held": one.surface[sign] for sign in SIGNS if isfinite(one.surface[sign])}
        for seen in pictures["live"]
        for one in seen
    ]


def _look_through(folder: Path, part: str, models_dir: Path) -> list[Seen]:
    from biometric.evaluation.quality import find_pictures, look_through

    pictures = find_pictures(folder)
    if not pictures:
        raise click.BadParameter(f"{folder} holds no picture")
    with counted(f"pictures ({part})", len(pictures)) as advance:
        return look_through(pictures, models_dir, done=advance)
