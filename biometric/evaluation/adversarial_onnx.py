"""SFace's ONNX file as plain arrays and a list of layers, so that TensorFlow can be asked for gradients.

Rules:
 * Only what SFace's file holds is read (protobuf wire format; ONNX IR: onnx/onnx.proto3): a chain of layers without
   branches, float32, int8 and int64 tensors, block-quantised weights. Anything else raises; nothing is guessed.
 * Weights are brought back to float32 here: (q - zero) x scale, one scale a block (DequantizeLinear, opset 21).

Not here: the layers as TensorFlow operations (adversarial_nets.py), whether they say what OpenCV says (its caller).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.errors import CannotTell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Array = NDArray[Any]

_KINDS: Final[dict[int, np.dtype[Any]]] = {  # TensorProto.DataType
    1: np.dtype("<f4"),
    3: np.dtype("<i1"),
    7: np.dtype("<i8"),
}
_PREPARED: Final = frozenset({"DequantizeLinear", "Reshape", "Constant"})
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class NetUnreadable(CannotTell):
    """The recogniser's file holds something that this reader does not know; its gradients cannot be had."""

    code = "net_unreadable"


@dataclass(frozen=True, slots=True, repr=False)
class Layer:
    """One operation of the chain, with its constant arrays in ONNX's order and its attributes."""

    kind: str
    arrays: tuple[Array, ...]
    attributes: Mapping[str, Any]


def read_chain(content: bytes) -> list[Layer]:
    """Return the layers from input to output.

    Raises:
        NetUnreadable: it is no ONNX file, or not a chain of what is known.
    """
    try:
        (graph,) = _fields(memoryview(content))[7]
        parts = _fields(graph)
        arrays = dict(_tensor(part) for part in parts[5])
        nodes = [_node(part) for part in parts[1]]
        return _chain(nodes, arrays)
    except (KeyError, IndexError, ValueError, TypeError) as exc:
        raise NetUnreadable(f"the recogniser's ONNX file is not one that is known here: {exc!r}") from exc


def _chain(nodes: list[dict[str, Any]], arrays: dict[str, Array]) -> list[Layer]:
    layers: list[Layer] = []
    flows = ""  # the name of the value that goes from layer to layer
    for node in nodes:
        kind, inputs, attributes = node["kind"], node["inputs"], node["attributes"]
        if kind in _PREPARED:
            arrays[node["output"]] = _prepared(kind, [arrays[name] for name in inputs], attributes)
            continue
        if layers and inputs[0] != flows:
            raise ValueError(f"{kind} takes {inputs[0]!r}, not {flows!r}")
        flows = node["output"]
        if kind != "Dropout":  # of no effect after training
            layers.append(Layer(kind, tuple(arrays[name] for name in inputs[1:]), attributes))
    if not layers:
        raise ValueError("no layers")
    return layers


def _prepared(kind: str, inputs: list[Array], attributes: Mapping[str, Any]) -> Array:
    """Return what an operation on constants alone gives."""
    if kind == "Constant":
        return np.zeros(0, np.float32)  # the dropout ratio, unused
    if kind == "Reshape":
        return inputs[0].reshape([int(side) for side in inputs[1]])
    quantised, scale, zero = inputs
    axis, block = attributes["axis"], attributes["block_size"]
    scales, zeros = (np.repeat(part, block, axis=axis) for part in (scale, zero))
    fits = tuple(slice(side) for side in quantised.shape)
    return ((quantised.astype(np.float32) - zeros[fits]) * scales[fits]).astype(np.float32)


def _node(content: memoryview) -> dict[str, Any]:
    parts = _fields(content)
    (output, *_), (kind,) = parts[2], parts[4]
    return {
        "kind": bytes(kind).decode(),
        "inputs": [bytes(name).decode() for name in parts[1]],
        "output": bytes(output).decode(),
        "attributes": dict(_attribute(part) for part in parts[5]),
    }


def _attribute(content: memoryview) -> tuple[str, Any]:
    parts = _fields(content)
    name, kind = bytes(parts[1][0]).decode(), parts[20][0]
    if kind == 1:  # FLOAT
        return name, float(np.frombuffer(parts[2][0], "<f4")[0])
    if kind == 2:  # INT  # noqa: PLR2004  (ONNX AttributeProto.AttributeType)
        return name, parts[3][0]
    return name, _integers(parts[8])


def _tensor(content: memoryview) -> tuple[str, Array]:
    parts = _fields(content)
    kind = _KINDS[parts[2][0]]
    shape = _integers(parts[1])
    if kind == _KINDS[1]:
        values = np.frombuffer(b"".join(bytes(part) for part in parts[4] or parts[9]), kind)
    elif parts[9]:
        values = np.frombuffer(bytes(parts[9][0]), kind)
    else:
        values = np.array(_integers(parts[5] if kind == _KINDS[3] else parts[7]), np.int64)
        values = np.where(values >= 1 << 63, values - (1 << 64), values).astype(kind)
    return bytes(parts[8][0]).decode(), values.reshape(shape)


def _integers(parts: list[Any]) -> list[int]:
    """Return repeated integers, packed or not."""
    found: list[int] = []
    for part in parts:
        if isinstance(part, int):
            found.append(part)
        else:
            at = 0
            while at < len(part):
                value, at = _varint(part, at)
                found.append(value)
    return found


def _fields(content: memoryview) -> dict[int, list[Any]]:
    """Return the fields of a message by number; integers as they are, everything else as bytes."""
    found: dict[int, list[Any]] = defaultdict(list)
    for number, value in _walk(content):
        found[number].append(value)
    return found


def _walk(content: memoryview) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(content, at)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(content):
            raise ValueError("truncated")
        yield key >> 3, content[at : at + size]
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004  (the highest bit says that more follows)
            return value, at
