"""SFace in OpenCV, on LiteRT as served (float32), and on LiteRT with dynamic-range int8: vectors, accuracy, time.

    .venv/bin/python -m benchmarks.sface_runtimes --images ../shared/data/faces/lfw --people 250

People of the half that chose no threshold, at most four pictures each. All three see the same crops, in turn, in one
process and on one thread, so the ratios of their CPU times hold on a busy machine too. Needs the extra `convert`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.peers.__main__ import chosen_pictures
from benchmarks.peers.tar import Pairs, cosines
from biometric.align import sface_crop, sface_input
from biometric.convert_sface import INPUT_SHAPE, apply_layers, folded
from biometric.detect import FaceDetector, most_prominent
from biometric.errors import BiometricError
from biometric.evaluation.adversarial_onnx import read_chain
from biometric.image import decode_image
from biometric.landmarks import FaceMesh, five_points
from biometric.lite import LiteNet
from biometric.models import ModelStore


def dynamic_int8(onnx: bytes) -> bytes:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf  # noqa: PLC0415  (heavy, and its switches are read at import)

    layers = folded(read_chain(onnx))
    function = tf.function(
        lambda crop: apply_layers(tf, layers, crop), input_signature=[tf.TensorSpec(INPUT_SHAPE, tf.float32)]
    ).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], function)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def runtimes(store: ModelStore) -> dict:
    onnx = store.read("sface_onnx")
    opencv = cv2.FaceRecognizerSF.create("onnx", np.frombuffer(onnx, np.uint8), np.zeros(0, np.uint8))
    served, small = LiteNet(store.read("sface")), LiteNet(dynamic_int8(onnx))
    return {
        "OpenCV": lambda crop: opencv.feature(crop).ravel().copy(),
        "LiteRT float32, as served": lambda crop: served.run(sface_input(crop))[0].ravel(),
        "LiteRT dynamic-range int8": lambda crop: small.run(sface_input(crop))[0].ravel(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--people", type=int, default=250)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    store = ModelStore(options.models_dir)
    detector, mesh, nets = FaceDetector(store), FaceMesh(store), runtimes(store)
    people, vectors, taken = [], {name: [] for name in nets}, {name: [] for name in nets}
    for picture in track(chosen_pictures(options.images, options.people, most=4), description="pictures"):
        try:
            image = decode_image(picture.path.read_bytes())
            face = most_prominent(detector.detect(image), image)
            crop = sface_crop(image, five_points(mesh.locate(image, face)))
        except BiometricError:
            continue
        people.append(picture.person)
        for name, net in nets.items():
            began = time.process_time()
            vectors[name].append(net(crop))
            taken[name].append(1000 * (time.process_time() - began))
    show(np.unique(people, return_inverse=True)[1], {name: np.array(rows) for name, rows in vectors.items()}, taken)


def show(people: np.ndarray, vectors: dict, taken: dict) -> None:
    units = {name: rows / np.linalg.norm(rows, axis=1, keepdims=True) for name, rows in vectors.items()}
    table = Table("SFace", "CPU ms a look", "share", "least cosine to OpenCV", "TAR at 1e-3", "TAR at 1e-4")
    slowest = statistics.median(taken["OpenCV"])
    for name, rows in units.items():
        pairs, ms = Pairs(cosines(rows), people), statistics.median(taken[name])
        least = float((rows * units["OpenCV"]).sum(axis=1).min())
        tars = [f"{pairs.tar(fmr):.2%}" for fmr in (1e-3, 1e-4)]
        table.add_row(name, f"{ms:.1f}", f"{ms / slowest:.2f}", f"{least:.6f}", *tars)
    Console().print(table)
    Console().print(f"{people.max() + 1} people, {len(people)} pictures")


if __name__ == "__main__":
    main()
