"""What each part of a look at a face costs: CPU milliseconds, one thread, medians; then opening and memory.

    .venv/bin/python -m benchmarks.face_parts

A drawn face is looked at, 640x480. CPU time, so other work on the machine matters little, but a busy one is slower.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from biometric.align import facenet_crop, sface_crop
from biometric.evaluation.drawn_login import login_frames
from biometric.image import decode_image
from biometric.landmarks import five_points
from biometric.pipeline import STILL_SEARCH_SIDE_PX, FacePipeline
from plugin.commands.bench_rig import peak_rss_mb

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu_ms(work: Callable[[], object], runs: int) -> float:
    taken = []
    for _ in range(runs):
        began = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - began))
    return statistics.median(taken)


def parts(pipeline: FacePipeline) -> dict[str, Callable[[], object]]:
    jpeg = next(iter(login_frames())).jpeg
    image = decode_image(jpeg)
    detector, mesh, embedder = pipeline.detector, pipeline.mesh, pipeline.embedder
    (face,) = detector.detect(image)
    marks = mesh.locate(image, face)
    five = five_points(marks)
    for_facenet, for_sface = facenet_crop(image, five), sface_crop(image, five)
    return {
        "decode a 640x480 JPEG": lambda: decode_image(jpeg),
        "YuNet on the reduced frame of a login": lambda: detector.detect(image),
        f"YuNet as in a still, {STILL_SEARCH_SIDE_PX} px": lambda: detector.detect(
            image, longest_side=STILL_SEARCH_SIDE_PX
        ),
        "mesh, one followed frame": lambda: mesh.track(image, marks),
        "FaceNet, one look": lambda: embedder.facenet(for_facenet, mirrored=False),
        "FaceNet with mirror image": lambda: embedder.facenet(for_facenet),
        "SFace, one look": lambda: embedder.sface(for_sface),
        "SFace with mirror image": lambda: embedder.sface(for_sface, mirrored=True),
        "both recognisers as served": lambda: embedder.embed(image, five),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.process_time()
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    opened = time.process_time() - began
    for name, work in parts(pipeline).items():
        work()
        print(f"{name:40} {cpu_ms(work, options.runs):6.1f} ms")
    print(f"{'opening all models, digests checked':40} {opened:6.2f} s; peak {peak_rss_mb():.0f} MB")


if __name__ == "__main__":
    main()
