"""Time of one texture look beside detector and mesh, one thread, one run: the ratios are what counts on a busy machine.

    .venv/bin/python -m benchmarks.texture_parts
    .venv/bin/python -m benchmarks.texture_parts --net biometric/evaluation/texture_peer.json \
        ../shared/data/models/texture_celeba_spoof_fas128.onnx        another net beside ours

A drawn face is looked at, 640x480; CPU milliseconds, medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import cv2

from biometric.detect import only_face
from biometric.evaluation.drawn_face import Look, draw
from biometric.pipeline import FacePipeline
from biometric.texture import TextureNet
from plugin.commands.evaluate_texture import opened
from tests.fixtures_cache import cache_folder

ROUNDS = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", type=Path, nargs=2, metavar=("RECORD", "FILE"))
    parser.add_argument("--models-dir", type=Path, default=cache_folder() / "models")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    nets = {"texture": TextureNet.open()}
    if options.net:
        nets["other texture"] = opened(*options.net)
    image = draw(Look())
    face = only_face(pipeline.detector.detect(image))
    landmarks = pipeline.mesh.locate(image, face)
    work = {
        "detector (320 px)": lambda: pipeline.detector.detect(image),
        "mesh": lambda: pipeline.mesh.track(image, landmarks),
        **{name: lambda net=net: net.score(image, landmarks.points) for name, net in nets.items()},
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, call in work.items():
            began = time.process_time()
            call()
            times[name].append(1000 * (time.process_time() - began))
    middle = {name: statistics.median(found) for name, found in times.items()}
    for name, found in middle.items():
        shares = [f"{found / middle[part]:5.2f} x {part}" for part in ("mesh", "detector (320 px)")]
        print(f"{name:20} {found:6.2f} ms  ", *shares)


if __name__ == "__main__":
    main()
