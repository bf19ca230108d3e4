"""A session's evidence and trail, to bytes and back (the format is state.py's)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.errors import FramesInvalid
from biometric.liveness.challenge import Step, StepKind
from biometric.liveness.evidence import COLUMNS, Baseline, Evidence, Mode, Pose, PoseSample, StepMark
from biometric.liveness.observe import Trail
from biometric.liveness.state import Arrays, pack, unpack
from biometric.liveness.tracking import SkinTrack
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGEST_BYTES: Final = 16
_POINTS: Final = ("origin", "current", "depth")


def save(evidence: Evidence, trail: Trail, *, deadline_ms: int) -> bytes:
    """Return everything a session needs to go on."""
    header = _header(evidence, trail, deadline_ms=deadline_ms)
    arrays: Arrays = {
        "rows": np.array(evidence.rows, np.float32).reshape(-1, len(COLUMNS)),
        "digests": np.frombuffer(b"".join(evidence.digests), np.uint8).reshape(-1, _DIGEST_BYTES),
        "facenet": _stack([sample.embeddings.facenet for sample in evidence.poses]),
        "sface": _stack([sample.embeddings.sface for sample in evidence.poses]),
    }
    if trail.points is not None:
        arrays["points"] = trail.points
    arrays |= {name: np.stack(thumbs) for name, thumbs in (("faces", trail.faces), ("scenes", trail.scenes)) if thumbs}
    if trail.track is not None:
        track = trail.track
        header["track"] = {
            "begun": track.begun,
            "scale": track.scale,
            "roll": track.roll,
            "yaw": track.yaw,
            "pitch": track.pitch,
            "age": track.age,
        }
        arrays |= {name: getattr(track, name) for name in _POINTS}
    return pack(header, arrays)


def _header(evidence: Evidence, trail: Trail, *, deadline_ms: int) -> dict[str, Any]:
    return {
        "steps": [[step.kind, step.count] for step in evidence.steps],
        "pauses_ms": list(evidence.pauses_ms),
        "mode": evidence.mode,
        "deadline_ms": deadline_ms,
        "baseline": None if evidence.baseline is None else asdict(evidence.baseline),
        "marks": [[mark.revealed_ms, mark.done_ms] for mark in evidence.marks],
        "poses": [[sample.pose, sample.captured_ms, sample.yaw] for sample in evidence.poses],
        "colours": [list(colour) for colour in evidence.colours],
        "light_ms": evidence.light_ms,
        "looks": evidence.looks,
        "crowded_looks": evidence.crowded_looks,
        "served_ms": evidence.served_ms,
        "chain_key": evidence.chain_key.hex(),
        "chain_tag": evidence.chain_tag.hex(),
        "camera_risks": list(evidence.camera_risks),
        "size": list(evidence.size),
        "broken": evidence.broken,
        "failed": evidence.failed,
        "looked_ms": trail.looked_ms,
        "track": None,
    }


def load(data: bytes) -> tuple[Evidence, Trail, int]:
    """Return evidence, trail and deadline.

    Raises:
        FramesInvalid: not the bytes of `save`.
    """
    header, arrays = unpack(data)
    try:
        return _evidence(header, arrays), _trail(header, arrays), int(header["deadline_ms"])
    except (KeyError, TypeError, ValueError, IndexError) as exc:
        raise FramesInvalid("the state of the challenge is damaged") from exc


def _evidence(header: dict[str, Any], arrays: Arrays) -> Evidence:
    poses = [
        PoseSample(Pose(pose), captured_ms, yaw, FaceEmbeddings(Embedding(f, FACENET), Embedding(s, SFACE)))
        for (pose, captured_ms, yaw), f, s in zip(
            header["poses"], _floats(arrays["facenet"]), _floats(arrays["sface"]), strict=True
        )
    ]
    return Evidence(
        steps=tuple(Step(StepKind(kind), count) for kind, count in header["steps"]),
        pauses_ms=tuple(header["pauses_ms"]),
        mode=Mode(header["mode"]),
        rows=list(_floats(arrays["rows"])),
        digests=[row.tobytes() for row in arrays["digests"]],
        baseline=None if header["baseline"] is None else Baseline(**header["baseline"]),
        marks=[StepMark(revealed_ms, done_ms) for revealed_ms, done_ms in header["marks"]],
        poses=poses,
        colours=tuple((red, green, blue) for red, green, blue in header["colours"]),
        light_ms=header["light_ms"],
        looks=header["looks"],
        crowded_looks=header["crowded_looks"],
        served_ms=header["served_ms"],
        chain_key=bytes.fromhex(header["chain_key"]),
        chain_tag=bytes.fromhex(header["chain_tag"]),
        camera_risks=tuple(header["camera_risks"]),
        size=(header["size"][0], header["size"][1]),
        broken=header["broken"],
        failed=header["failed"],
    )


def _trail(header: dict[str, Any], arrays: Arrays) -> Trail:
    trail = Trail(looked_ms=header["looked_ms"])
    trail.points = _floats(arrays["points"]) if "points" in arrays else None
    trail.faces, trail.scenes = ([one.astype(np.uint8) for one in arrays.get(name, ())] for name in ("faces", "scenes"))
    if header["track"] is not None:
        trail.track = _track(arrays, **header["track"])
    return trail


def _track(arrays: Arrays, *, begun: int, scale: float, roll: float, yaw: float, pitch: float, age: int) -> SkinTrack:
    origin, current, depth = (_floats(arrays[name]) for name in _POINTS)
    return SkinTrack(
        origin=origin, current=current, depth=depth, begun=begun, scale=scale, roll=roll, yaw=yaw, pitch=pitch, age=age
    )


def _floats(array: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.array(array, np.float32)


def _stack(embeddings: list[Embedding]) -> NDArray[np.float32]:
    return (
        np.array([embedding.vector for embedding in embeddings], np.float32).reshape(len(embeddings), -1)
        if embeddings
        else np.zeros((0, 0), np.float32)
    )
