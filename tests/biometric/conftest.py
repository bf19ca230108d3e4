"""What tests of pictures share: the opened pipeline, and pictures by name."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest

from biometric.pipeline import FacePipeline
from tests.fixtures_cache import load_picture, picture_path


@pytest.fixture(scope="session")
def models_dir():
    return Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser()


@pytest.fixture(scope="session")
def pipeline(models_dir):
    return FacePipeline.open(models_dir)


@pytest.fixture
def picture():
    return load_picture


@pytest.fixture
def path_of():
    return picture_path


@pytest.fixture
def side_by_side():
    """Two pictures next to each other, the second `share` as high as the first."""

    def paste(left, right, share=1.0):
        height = left.shape[0]
        size = round(right.shape[1] * height / right.shape[0] * share), round(height * share)
        small = cv2.resize(right, size, interpolation=cv2.INTER_AREA)
        wide = cv2.copyMakeBorder(left, 0, 0, 0, size[0], cv2.BORDER_CONSTANT, value=(128, 128, 128))
        wide[: size[1], left.shape[1] :] = small
        return wide

    return paste
