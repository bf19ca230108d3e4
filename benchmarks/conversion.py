"""Does a conversion give the same bytes every time, and how near is it to what its source says?

    .venv/bin/python -m benchmarks.conversion --model facenet --times 3
    .venv/bin/python -m benchmarks.conversion --model sface --times 3

Each conversion is a process of its own, with the recipe and on the pinned pictures of `facestep models fetch`. Files
go into a temporary folder and away.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from biometric.fetch import Fetcher, _convert
from biometric.models import ModelStore
from biometric.recipes import RECIPES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("facenet", "sface"), default="facenet")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    parser.add_argument("--downloads", type=Path, default=Path("~/.cache/facestep/downloads"))
    options = parser.parse_args()
    store = ModelStore(options.models_dir.expanduser())
    pinned = store.lock.models[options.model]
    fetcher = Fetcher(store, options.downloads, report=lambda *_: None)
    with tempfile.TemporaryDirectory(prefix="facestep-bench-") as name:
        folder = Path(name)
        np.save(folder / "crops.npy", fetcher._judging_crops(folder, pinned.recipe))
        for number in range(1, options.times + 1):
            made = _convert(
                store.path(pinned.source), folder / "made.tflite", folder / "crops.npy", recipe=pinned.recipe
            )
            same = "the pinned bytes" if made["sha256"] == pinned.sha256 else "OTHER bytes than pinned"
            print(
                f"{number}: sha256 {made['sha256'][:16]}, {same}; least cosine to {RECIPES[pinned.recipe].judge} "
                f"{made['least_cosine']:.6f} (TensorFlow {made['tensorflow']})"
            )


if __name__ == "__main__":
    main()
