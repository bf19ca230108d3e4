"""Many presentations, in several processes, written down one by one so that a run can be taken up again.

Rules:
 * A journal belongs to one source: its first line holds the source's fingerprint, and a journal of another is refused.
   A line that was cut off in the middle of writing is made once more.
 * Presentations with the same number show the same person, so one process makes them one after another.
 * A process that dies, or a presentation that raises, ends the run with an error; what was written stays. A process
   whose run was killed ends too, whatever is left to make.

Not here: what a presentation is (presentation.py), rates (presentation_rates.py).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import threading
import traceback
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import cv2

from biometric.errors import BiometricError
from biometric.evaluation.presentation import Outcome, from_json, to_json
from biometric.pipeline import FacePipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from biometric.evaluation.presentation import PresentationSource

    Task = tuple[str, int]

FORMAT: Final = 1
LOOK_EVERY_S: Final = 5.0


class SourceMissing(BiometricError):  # noqa: N818  (reads as what happened)
    """The module that makes presentations is not there."""

    code = "presentations_unavailable"


class JournalInvalid(BiometricError):  # noqa: N818
    """The journal is of another run, or no journal."""

    code = "journal_invalid"


class PresentationFailed(BiometricError):  # noqa: N818
    """A presentation raised, or its process died."""

    code = "presentation_failed"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where presentations come from: a module with a function `open_source`, and what to call it with."""

    module: str
    options: Mapping[str, Any]

    def open(self) -> PresentationSource:
        """Return the source.

        Raises:
            SourceMissing: there is no such module.
        """
        try:
            module = import_module(self.module)
        except ModuleNotFoundError as exc:
            if exc.name is None or not self.module.startswith(exc.name):
                raise  # the module is there, something that it needs is not
            raise SourceMissing(
                f"{self.module} is not there: presentations are made by the simulator in the project's tests, which is "
                "not installed; run this in a checkout of the repository"
            ) from exc
        source: PresentationSource = module.open_source(**self.options)
        return source


class Journal:
    """Outcomes as JSON lines."""

    def __init__(self, path: Path, *, fingerprint: str) -> None:
        self._path = path
        self._head = {"format": FORMAT, "fingerprint": fingerprint}

    def read(self) -> list[Outcome]:
        """Return what was written so far; begin the file if there is none.

        Raises:
            JournalInvalid: it is of another run.
        """
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        head, *lines = text[: text.rfind("\n") + 1].splitlines() or [""]
        try:
            if head and json.loads(head) != self._head:
                raise JournalInvalid(f"{self._path} was made by another version, with other pictures or another seed")
            found = [from_json(json.loads(line)) for line in lines]
        except (KeyError, TypeError, ValueError) as exc:
            raise JournalInvalid(f"{self._path} is no journal of presentations") from exc
        whole = [head or json.dumps(self._head), *lines]
        self._path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
        return found

    def add(self, outcome: Outcome) -> None:
        """Write one down."""
        with self._path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(to_json(outcome)) + "\n")


def missing(wanted: Sequence[Task], have: Sequence[Outcome]) -> list[Task]:
    """Return what is still to be made, in the order in which it is best made: by number."""
    made = {(outcome.species, outcome.number) for outcome in have}
    return sorted((task for task in wanted if task not in made), key=lambda task: task[1])


def run(
    tasks: Sequence[Task], spec: SourceSpec, *, models_dir: Path, jobs: int = 1, done: Callable[[Outcome], None]
) -> None:
    """Make presentations and hand each outcome to `done`.

    Raises:
        PresentationFailed: one raised, or a process died.
    """
    if not tasks:
        return
    groups = [list(group) for _, group in groupby(tasks, key=lambda task: task[1])]
    outcomes = _alone(groups, spec, models_dir) if jobs == 1 else _together(groups, spec, models_dir, jobs)
    for outcome in outcomes:
        done(outcome)


def _alone(groups: Sequence[Sequence[Task]], spec: SourceSpec, models_dir: Path) -> Iterator[Outcome]:
    source, pipeline = spec.open(), FacePipeline.open(models_dir)
    for group in groups:
        for species, number in group:
            yield source.present(species, number, pipeline=pipeline)


def _together(groups: Sequence[Sequence[Task]], spec: SourceSpec, models_dir: Path, jobs: int) -> Iterator[Outcome]:
    context = multiprocessing.get_context("spawn")
    work, results = context.Queue(), context.Queue()
    workers = [
        context.Process(target=_work, args=(spec, models_dir, work, results), daemon=True)
        for _ in range(min(jobs, len(groups)))
    ]
    for item in [*groups, *[None] * len(workers)]:
        work.put(item)
    for worker in workers:
        worker.start()
    try:
        for _ in range(sum(len(group) for group in groups)):
            yield _next(results, workers)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _next(results: Any, workers: Sequence[Any]) -> Outcome:
    """Wait for the next outcome as long as all processes live."""
    while True:
        try:
            found = results.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            if any(worker.exitcode for worker in workers):
                raise PresentationFailed("a process died; is there enough memory?") from None
            continue
        if isinstance(found, str):
            raise PresentationFailed(found)
        return from_json(found)


def _work(spec: SourceSpec, models_dir: Path, work: Any, results: Any) -> None:
    """Make presentations until there are none left; what goes wrong is told, not lost."""
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    try:
        cv2.setNumThreads(1)
        source, pipeline = spec.open(), FacePipeline.open(models_dir)
        for group in iter(work.get, None):
            for species, number in group:
                results.put(to_json(source.present(species, number, pipeline=pipeline)))
    except Exception:  # noqa: BLE001  (whatever it is, it must reach the other process)
        results.put(traceback.format_exc())


def _end_with_the_run() -> None:
    """End this process when the one that began it is gone: nobody would hear of its outcomes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
