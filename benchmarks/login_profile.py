"""Where the CPU time of the face part of a login goes, and what SFace cost in OpenCV, in one run.

    .venv/bin/python -m benchmarks.login_profile --film sparse --json profile.json

The drawn face's login (*simulated*) is played in turn with SFace on LiteRT, as served, and in OpenCV, as before; the
stages below are timed within (CPU time, one thread, medians over the logins). What is in no stage is `rest`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from biometric.detect import FaceDetector
from biometric.embed import Embedder, _unit_sum
from biometric.evaluation.drawn_login import FLUENT, SPARSE, login_frames
from biometric.landmarks import FaceMesh
from biometric.liveness import observe, session
from biometric.models import ModelStore
from biometric.pipeline import FacePipeline
from biometric.types import SFACE, Embedding
from plugin.commands.bench_face import play_login

STAGES = {
    "decode JPEG": [(session, "decode_image")],
    "YuNet": [(FaceDetector, "detect")],
    "mesh": [(FaceMesh, "track"), (FaceMesh, "locate")],
    "FaceNet": [(Embedder, "facenet")],
    "SFace": [(Embedder, "sface")],
    "follow skin": [(observe, "begin_track"), (observe, "follow_track"), (observe.geometry, "measure_depth")],
    "mean colours": [(observe, "measure_regions")],
    "surface": [(observe, "inspect_surface")],
    "texture net": [(observe, "texture_columns")],
    "pose and expression": [(observe, "measure_face")],
    "judge steps": [(session, "judge_step"), (session, "count_mistakes")],
    "verdict": [(session.fusion, "judge")],
    "state to bytes and back": [(session.snapshot, "save"), (session.snapshot, "load")],
}


class Clock:
    """CPU milliseconds by stage; a stage that runs within another counts for the outer one alone."""

    def __init__(self) -> None:
        self.ms: Counter = Counter()
        self._running = False

    def timed(self, stage, function):
        def timed(*arguments, **named):
            if self._running:
                return function(*arguments, **named)
            self._running, began = True, time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self._running = False
                self.ms[stage] += 1000 * (time.process_time() - began)

        return timed


def sface_in_opencv(store):
    """Embedder.sface as it was until SFace was converted."""
    content = np.frombuffer(store.read("sface_onnx"), np.uint8)
    net = cv2.FaceRecognizerSF.create("onnx", content, np.zeros(0, np.uint8))

    def sface(_, crop):
        return Embedding(_unit_sum([net.feature(crop).ravel().astype(np.float32)]), SFACE)

    return sface


def play(frames, film, pipeline, reference, sface):
    clock = Clock()
    with ExitStack() as stack:
        if sface is not None:
            stack.enter_context(patch.object(Embedder, "sface", sface))
        for stage, places in STAGES.items():
            for owner, name in places:
                stack.enter_context(patch.object(owner, name, clock.timed(stage, getattr(owner, name))))
        played = play_login(frames, film, pipeline, reference=reference)
    total = 1000 * played["cpu_s"]
    return {"whole": total, "verdict (wall)": played["verdict_ms"], **clock.ms, "rest": total - sum(clock.ms.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--film", choices=("sparse", "fluent"), default="sparse")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    models_dir = options.models_dir.expanduser()
    pipeline = FacePipeline.open(models_dir)
    before = sface_in_opencv(ModelStore(models_dir))
    film = SPARSE if options.film == "sparse" else FLUENT
    frames = list(login_frames(film))
    reference = play_login(frames, film, pipeline, reference=None)["embeddings"]
    runs = {"SFace in OpenCV": [], "as served": []}
    for _ in range(options.runs):
        runs["SFace in OpenCV"].append(play(frames, film, pipeline, reference, before))
        runs["as served"].append(play(frames, film, pipeline, reference, None))
    medians = {
        name: {stage: statistics.median(run.get(stage, 0.0) for run in played) for stage in played[0]}
        for name, played in runs.items()
    }
    table = Table("CPU ms a login", *medians)
    for stage in ("whole", *STAGES, "rest", "verdict (wall)"):
        table.add_row(stage, *(f"{column.get(stage, 0.0):.1f}" for column in medians.values()))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps({"frames": film.frames, **medians}, indent=2) + "\n")


if __name__ == "__main__":
    main()
