"""A face session that believes what is written on the pictures: the factor's own rules, tested without models.

A frame says `go`, `next`, `fail`, `broken`, `done:NAME` (NAME's living face) or `done:NAME:REASON` (denied by
a cue, or by several with + between).
Comparison, calibration, sealing and storage are the real ones.
"""

from __future__ import annotations

import hashlib
import json
from secrets import token_bytes
from types import SimpleNamespace

import numpy as np

from biometric.calibration import Calibration, ModelCalibration
from biometric.compare import compare
from biometric.errors import FaceRejected, FramesInvalid, ImageUnreadable
from biometric.liveness.chain import KEY_BYTES
from biometric.liveness.challenge import Step, StepKind
from biometric.liveness.session import LiveFace, Progress, State
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings, Frame

MODEL = ModelCalibration(mean=0.0, deviation=0.1, floor=0.4, weight=0.5)


def calibration(framing: str = "test") -> Calibration:
    return Calibration(
        id="0123456789abcdef",
        framing=framing,
        models={"facenet": "a", "sface": "b"},
        facenet=MODEL,
        sface=MODEL,
        fused_threshold=5.0,
        evidence={},
    )


def pipeline(framing: str = "test") -> SimpleNamespace:
    return SimpleNamespace(calibration=calibration(framing))


def face_of(name: str) -> FaceEmbeddings:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    rng = np.random.default_rng(seed)

    def unit(size: int) -> np.ndarray:
        vector = rng.standard_normal(size)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    return FaceEmbeddings(Embedding(unit(512), FACENET), Embedding(unit(128), SFACE))


def shows(*words: str, start: int = 0) -> list[Frame]:
    """Return frames that say these words; like those of a camera, no two are ever the same."""
    return [
        Frame(start + place, 66 * (start + place), b"\xff\xd8\xff" + word.encode() + b"\0" + token_bytes(8))
        for place, word in enumerate(words)
    ]


class ScriptedSession:
    def __init__(self, state: dict) -> None:
        self.state = state

    @classmethod
    def begin(cls, steps, *, mode, pauses_ms, colours, deadline_ms, chain_key, camera_risks) -> ScriptedSession:
        assert len(chain_key) == KEY_BYTES
        assert len(pauses_ms) == len(steps)
        assert bool(colours) == any(step.kind is StepKind.FLASH for step in steps)
        listed = [[step.kind.value, step.count] for step in steps]
        begun = {"steps": listed, "mode": mode, "deadline_ms": deadline_ms, "risks": list(camera_risks)}
        return cls(begun | {"done": "", "index": -1, "broken": ""})

    @classmethod
    def from_bytes(cls, data: bytes) -> ScriptedSession:
        return cls(json.loads(data))

    def to_bytes(self) -> bytes:
        return json.dumps(self.state).encode()

    @property
    def evidence(self) -> SimpleNamespace:
        name = self.state["done"].split(":")[0]
        return SimpleNamespace(
            steps=[Step(kind, count) for kind, count in self._steps()],
            colours=(),
            broken=self.state["broken"],
            failed="deadline",
            front=lambda: face_of(name) if name else None,
        )

    def _steps(self):
        return [(StepKind(kind), count) for kind, count in self.state["steps"]]

    def push(self, frames, *, pipeline, now_ms, light_ms, max_frame_bytes, max_frames, chance) -> Progress:
        del pipeline, chance
        if now_ms > self.state["deadline_ms"]:
            return Progress(State.FAILED, None, self.state["index"])
        for frame in frames:
            if frame.seq >= max_frames:
                raise FramesInvalid("many")
            word = frame.jpeg[3:].split(b"\0")[0].decode()
            if len(frame.jpeg) > max_frame_bytes or word == "broken":
                self.state["broken"] = "overlap"
                raise FramesInvalid("overlap")
            if word == "sentence":
                self.state["broken"] = "a frame is no JPEG"
                raise ImageUnreadable("a frame is no JPEG")
            if word == "unnamed":
                raise FramesInvalid
            if word == "fail":
                return Progress(State.FAILED, None, self.state["index"])
            if word == "next":
                self.state["index"] += 1
                return Progress(State.NEXT_STEP, None, self.state["index"])
            if word.startswith("done"):
                self.state["done"] = word.removeprefix("done:")
                return Progress(State.FINISHED, None, 2)
        return Progress(State.GO_ON, "look_straight", self.state["index"])

    def risks(self) -> tuple[str, ...]:
        return tuple(self.state["risks"])

    def verdict(self, *, reference, calibration, demanded) -> LiveFace:
        assert (reference is None) == (self.state["mode"] == "enrol")
        name, _, reason = self.state["done"].partition(":")
        if reason:
            raise FaceRejected(tuple(one.replace("/", ":") for one in reason.split("+")))
        face = face_of(name)
        comparison = None if reference is None else compare(face, reference, calibration=calibration)
        if comparison is not None and not comparison.match:
            raise FaceRejected(("identity:another_person",))
        return LiveFace(embeddings=face, comparison=comparison, confirmed_by=("planarity", "challenge"))
