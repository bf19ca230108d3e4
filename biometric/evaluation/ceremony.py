"""Logins from films: each clip is the camera of one login, the steps are those that the server asks for, in that order.

Rules:
 * The very session that serves people judges (liveness/session.py), at its own deadline, with every cue.
 * A clip does not hear what is asked. So each step is revealed without a pause, and in small batches.
 * The session's chance is drawn from one seed, for every clip anew: the same list gives the same result again.
 * Whatever cannot be read or judged is an entry with `error` and `accepted` false. One bad row never stops the others.
 * APCER is counted per species, and the worst species counts (ISO/IEC 30107-3).

Not here: where the rows come from (plugin/commands/evaluate_ceremony.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.errors import BiometricError, FramesInvalid, ImageUnreadable
from biometric.evaluation.clips import read_clip
from biometric.image import MAX_BYTES, decode_image
from biometric.liveness.challenge import parse_steps
from biometric.liveness.cues.result import Verdict
from biometric.liveness.session import DEADLINE_MS, FaceSession, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from biometric.liveness.fusion import LivenessReport
    from biometric.pipeline import FacePipeline
    from biometric.types import FaceEmbeddings, Frame

BATCH: Final = 2
UPLOAD_MS: Final = 60
SEED: Final = 0
GENUINE, ATTACK = "genuine", "attack"


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One row of the list."""

    clip: str
    clip_path: Path
    reference_path: Path
    label: str
    species: str
    steps: str


def evaluate_clips(
    rows: Sequence[ClipRow], *, pipeline: FacePipeline, report: Callable[[int, int], None] = lambda _done, _of: None
) -> dict[str, Any]:
    """Return one entry a row, and counts per species."""
    entries = []
    for done, row in enumerate(rows, start=1):
        entries.append(_entry(row, pipeline))
        report(done, len(rows))
    return {"clips": entries, "summary": summarise(entries)}


def summarise(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return APCER per species and BPCER as counts and shares. What could not be judged counts as refused."""
    species: dict[str, dict[str, Any]] = {}
    genuine = [entry for entry in entries if entry["label"] == GENUINE]
    for entry in entries:
        if entry["label"] == ATTACK:
            counts = species.setdefault(entry["species"] or "unnamed", {"clips": 0, "accepted": 0})
            counts["clips"] += 1
            counts["accepted"] += int(entry["accepted"])
    for counts in species.values():
        counts["apcer"] = counts["accepted"] / counts["clips"]
    refused = sum(not entry["accepted"] for entry in genuine)
    return {
        "attacks": species,
        "apcer_worst": max((counts["apcer"] for counts in species.values()), default=None),
        "genuine": {"clips": len(genuine), "refused": refused, "bpcer": refused / len(genuine) if genuine else None},
        "errors": sum("error" in entry for entry in entries),
    }


def _entry(row: ClipRow, pipeline: FacePipeline) -> dict[str, Any]:
    entry: dict[str, Any] = {"clip": row.clip, "label": row.label, "species": row.species, "steps": row.steps}
    refused = {"accepted": False, "denied_by": [], "confirmed_by": []}
    try:
        reference = _reference(row.reference_path, pipeline)
        session = run_login(row, pipeline)
        judged = session.report(reference=reference, calibration=pipeline.calibration)
    except BiometricError as exc:
        return entry | refused | {"error": exc.code}
    except ValueError:
        return entry | refused | {"error": "steps_unreadable"}
    return entry | _verdict(judged)


def _verdict(judged: LivenessReport) -> dict[str, Any]:
    return {
        "accepted": judged.accepted,
        "denied_by": list(judged.denied_by),
        "confirmed_by": list(judged.confirmed_by),
        "why": {result.name: result.why for result in judged.results if result.verdict is Verdict.DENY},
    }


def run_login(row: ClipRow, pipeline: FacePipeline) -> FaceSession:
    """Return the session after the clip was shown to it. Frames that break a stream rule end it, as they would live.

    Raises:
        ValueError: the steps make no sense.
        ClipUnreadable: there is no film.
    """
    session = FaceSession.begin(parse_steps(row.steps), mode="login")
    chance = np.random.default_rng(SEED)
    before: list[Frame] = []
    for batch in _batches(read_clip(row.clip_path, detector=pipeline.detector, longest_ms=DEADLINE_MS)):
        now_ms = batch[-1].captured_ms + UPLOAD_MS
        try:
            progress = session.push([*before, *batch], pipeline=pipeline, now_ms=now_ms, chance=chance)
        except FramesInvalid:
            break  # the session remembers why, and its report denies
        if progress.state in {State.FINISHED, State.FAILED}:
            break
        before = batch[-1:]
    return session


def _batches(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _reference(path: Path, pipeline: FacePipeline) -> FaceEmbeddings:
    try:
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ImageUnreadable(f"{path}: {exc.strerror}") from exc
    return pipeline.still(decode_image(content)).embeddings
