"""LiteRT behind three calls: the one file that speaks its API. One thread: a worker is one core of work."""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import Lock as Mutex
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_STDERR: Final = 2
_STDERR_MUTEX: Final = Mutex()


class LiteNet:
    """One net with one input of batch 1. Not safe to share between threads; its owner holds a mutex."""

    def __init__(self, content: bytes) -> None:
        self._interpreter: Any = Interpreter(model_content=content, num_threads=1)
        with _quiet_stderr():
            self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details()[0]
        self._input: int = details["index"]
        self.input_shape: tuple[int, ...] = tuple(int(side) for side in details["shape"])
        self.input_type: Any = details["dtype"]
        self._outputs: list[dict[str, Any]] = self._interpreter.get_output_details()

    def outputs_by_size(self, *sizes: int) -> tuple[int, ...]:
        """Return which output has which number of values; raises KeyError if none or the order is not what we know."""
        known = {int(np.prod(detail["shape"])): position for position, detail in enumerate(self._outputs)}
        return tuple(known[size] for size in sizes)

    def run(self, value: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return copies of all outputs for one input without its batch dimension."""
        self._interpreter.set_tensor(self._input, value[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._outputs]


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep LiteRT's "INFO: Created XNNPACK delegate" out of what a command prints; it has no switch."""
    with _STDERR_MUTEX:
        kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            os.close(nowhere)
