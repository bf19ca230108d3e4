"""`facestep compare` as scripts use it: its JSON, its exit status, and every way it cannot tell."""

from __future__ import annotations

import json
import struct
import zlib

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from plugin.cli import main
from tests.fixtures_cache import load_picture, picture_path

pytestmark = pytest.mark.models


def run(*arguments):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def saved(path, image):
    cv2.imwrite(str(path), image)
    return path


def two_people(share):
    left, right = load_picture("person_b_1"), load_picture("impostor_2")
    size = round(right.shape[1] * share), round(right.shape[0] * share)
    small = cv2.resize(right, size, interpolation=cv2.INTER_AREA)
    wide = cv2.copyMakeBorder(left, 0, 0, 0, size[0], cv2.BORDER_CONSTANT, value=(128, 128, 128))
    wide[: size[1], left.shape[1] :] = small[: wide.shape[0]]
    return wide


def test_the_same_person_is_exit_0_with_the_promised_shape():
    result = run(picture_path("person_a_1"), picture_path("person_a_2"), "--json")
    assert result.exit_code == 0
    table = json.loads(result.stdout)
    assert set(table) == {"match", "models", "fused"}
    assert table["match"] is True
    assert set(table["models"]) == {"facenet", "sface"}
    for model in table["models"].values():
        assert set(model) == {"similarity", "threshold"}
        assert model["similarity"] >= model["threshold"]
    assert table["fused"]["score"] >= table["fused"]["threshold"]


def test_strangers_are_exit_1():
    result = run(picture_path("person_a_1"), picture_path("impostor_1"), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["match"] is False


@pytest.mark.parametrize(
    ("other", "status", "words"), [("person_b_2", 0, "The same person"), ("impostor_1", 1, "Not the same")]
)
def test_without_json_it_is_a_sentence(other, status, words):
    result = run(picture_path("person_b_1"), picture_path(other))
    assert result.exit_code == status
    assert result.stdout.startswith(words)


def png_bomb():
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 9999)) + chunk(b"IEND", b"")


BAD = {
    "missing": (None, "image_unreadable"),
    "empty": (b"", "image_unreadable"),
    "text": (b"this is no picture", "image_unreadable"),
    "bomb": (png_bomb(), "image_too_large"),
    "zeros": (b"\0" * 50_000, "image_unreadable"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("first", [True, False])
def test_bad_input_is_exit_2_with_a_stable_code(tmp_path, kind, first):
    content, code = BAD[kind]
    bad = tmp_path / "bad.jpg"
    if content is not None:
        bad.write_bytes(content)
    good = picture_path("person_a_1")
    arguments = (bad, good) if first else (good, bad)
    result = run(*arguments, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (2, {"error": code})
    spoken = run(*arguments)
    assert spoken.exit_code == 2
    assert spoken.stdout == ""
    assert spoken.stderr.startswith(f"facestep: {code}: ")
    assert len(spoken.stderr.splitlines()) == 1


def test_a_truncated_picture_cannot_be_told(tmp_path):
    whole = picture_path("person_b_1").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    result = run(tmp_path / "half.jpg", picture_path("person_b_1"), "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (2, {"error": "image_unreadable"})


def test_a_folder_cannot_be_told(tmp_path):
    assert run(tmp_path, picture_path("person_b_1"), "--json").exit_code == 2


def test_a_picture_without_a_face_cannot_be_told(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    result = run(saved(tmp_path / "noise.png", noise), picture_path("person_b_1"), "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (2, {"error": "no_face"})


def test_two_people_of_comparable_size_cannot_be_told_even_if_one_matches(tmp_path):
    both = saved(tmp_path / "both.png", two_people(0.8))
    result = run(both, picture_path("person_b_2"), "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (2, {"error": "several_faces"})


def test_a_small_poster_in_the_background_does_not_matter_and_never_matches(tmp_path):
    poster = saved(tmp_path / "poster.png", two_people(0.3))
    assert run(poster, picture_path("person_b_2"), "--json").exit_code == 0
    assert run(poster, picture_path("impostor_2"), "--json").exit_code == 1


def test_a_face_too_small_to_judge_cannot_be_told(tmp_path):
    tiny = cv2.resize(load_picture("person_b_1"), None, fx=0.08, fy=0.08, interpolation=cv2.INTER_AREA)
    result = run(saved(tmp_path / "tiny.png", tiny), picture_path("person_b_1"), "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"] in {"quality_too_low", "no_face"}


def test_the_orientation_in_the_header_is_followed(tmp_path):
    turned = cv2.rotate(load_picture("person_b_1"), cv2.ROTATE_90_COUNTERCLOCKWISE)
    jpeg = cv2.imencode(".jpg", turned)[1].tobytes()
    tag = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + b"\0\0\0\0"
    (tmp_path / "turned.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(tag) + 2) + tag + jpeg[2:])
    assert run(tmp_path / "turned.jpg", picture_path("person_b_2"), "--json").exit_code == 0


def test_without_models_it_cannot_be_told(tmp_path):
    result = run(picture_path("person_a_1"), picture_path("person_a_2"), "--json", "--models-dir", tmp_path)
    assert (result.exit_code, json.loads(result.stdout)) == (2, {"error": "model_missing"})
