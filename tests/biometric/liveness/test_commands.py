"""`facestep evaluate ceremony` and `facestep bench face`, on a drawn face."""

import csv
import json
from itertools import islice, pairwise

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from biometric.evaluation.ceremony import summarise
from biometric.evaluation.clips import EVERY_MS, ClipUnreadable, read_clip
from biometric.evaluation.drawn_face import Look, draw
from biometric.evaluation.drawn_login import FLUENT, SPARSE, login_frames
from biometric.types import DetectedFace
from plugin.cli import main

THREE_STEPS = 72  # frames of FLUENT until the drawn face comes closer


class NoFaces:
    """A detector that sees nobody."""

    def detect(self, image, **_):
        return []


class OneFace:
    """A detector that sees one face at a known place."""

    def __init__(self, box, eyes_px):
        self.box, self.eyes_px = box, eyes_px

    def detect(self, image, **_):
        x, y = self.box[:2]
        eyes = np.float32([[x, y], [x + self.eyes_px, y], [x, y], [x, y], [x, y]])
        return [DetectedFace(box=self.box, five=eyes, score=1.0)]


def film(path, pictures, *, fps=30):
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def noise(count, size=(480, 640)):
    rng = np.random.default_rng(2)
    return [np.repeat(rng.integers(0, 256, (*size, 1), dtype=np.uint8), 3, axis=2) for _ in range(count)]


def frames(path, *, detector=None, longest_ms=20_000.0):
    return list(read_clip(path, detector=detector or NoFaces(), longest_ms=longest_ms))


def picture(frame):
    return cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(("fps", "seconds", "expected"), [(30, 2, 30), (25, 2, 30), (60, 2, 30), (10, 2, 20)])
def test_a_film_is_sampled_about_fifteen_times_a_second(tmp_path, fps, seconds, expected):
    found = frames(film(tmp_path / "a.mp4", noise(fps * seconds), fps=fps))
    assert len(found) == pytest.approx(expected, abs=4)
    assert [frame.seq for frame in found] == list(range(len(found)))
    times = [frame.captured_ms for frame in found]
    assert times[0] == 0
    assert all(later > earlier for earlier, later in pairwise(times))


def test_a_film_is_cut_off_at_the_deadline(tmp_path):
    found = frames(film(tmp_path / "a.mp4", noise(60)), longest_ms=1000)
    assert found[-1].captured_ms <= 1000


@pytest.mark.parametrize(
    ("size", "canvas"),
    [((720, 1280), (480, 640)), ((1280, 720), (640, 480)), ((512, 512), (480, 640)), ((120, 160), (480, 640))],
)
def test_pictures_of_any_shape_fit_the_pages_size(tmp_path, size, canvas):
    assert picture(frames(film(tmp_path / "a.mp4", noise(4, size)))[0]).shape[:2] == canvas


def test_a_small_face_in_a_large_picture_is_cut_out(tmp_path):
    big = np.zeros((1440, 1920, 3), np.uint8)
    big[500:700, 1200:1360] = 255
    path = film(tmp_path / "a.mp4", [big] * 4)
    whole = picture(frames(path)[0])
    near = picture(frames(path, detector=OneFace((1200, 500, 160, 200), eyes_px=70))[0])
    assert (near > 200).mean() > 3 * (whole > 200).mean()


def test_a_frame_equal_to_the_one_before_is_skipped_but_a_frozen_film_is_not(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    pictures = noise(2)
    for number in range(30):
        cv2.imwrite(str(folder / f"{number}.png"), pictures[0])
    found = frames(folder)
    assert 2 < len(found) < 6
    assert found[0].jpeg == found[1].jpeg
    assert found[1].captured_ms >= 500


def test_a_folder_of_pictures_is_read_in_the_order_of_its_numbers(tmp_path):
    for number in (10, 9, 2):
        cv2.imwrite(str(tmp_path / f"f{number}.png"), np.full((480, 640, 3), number * 20, np.uint8))
    found = frames(tmp_path)
    assert [round(picture(frame).mean() / 20) for frame in found] == [2, 9, 10]
    assert found[1].captured_ms == round(EVERY_MS)


@pytest.mark.parametrize("content", [b"", b"no film at all", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 40])
def test_what_is_no_film_is_an_error(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(ClipUnreadable):
        frames(path)


def test_a_missing_film_and_an_empty_folder_are_errors(tmp_path):
    with pytest.raises(ClipUnreadable):
        frames(tmp_path / "none.mp4")
    with pytest.raises(ClipUnreadable):
        frames(tmp_path)


# the list


def write_list(path, rows, columns=("clip", "reference", "label", "species", "steps")):
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def test_the_worst_species_counts():
    def entry(label, species, accepted):
        return {"label": label, "species": species, "accepted": accepted}

    counted = summarise(
        [
            *[entry("attack", "print", False)] * 3,
            *[entry("attack", "film", k < 1) for k in range(4)],
            *[entry("genuine", "", k > 0) for k in range(5)],
            {**entry("genuine", "", False), "error": "clip_unreadable"},
        ]
    )
    assert counted["attacks"]["print"] == {"clips": 3, "accepted": 0, "apcer": 0.0}
    assert counted["apcer_worst"] == 0.25
    assert counted["genuine"] == {"clips": 6, "refused": 2, "bpcer": pytest.approx(1 / 3)}
    assert counted["errors"] == 1


@pytest.mark.models
def test_a_drawn_login_is_judged_and_what_cannot_be_read_is_an_entry_with_an_error(tmp_path, models_dir):
    pictures = [picture(frame) for frame in islice(login_frames(FLUENT), THREE_STEPS)]
    film(tmp_path / "me.mp4", pictures, fps=15)
    cv2.imwrite(str(tmp_path / "me.png"), draw(Look()))
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    asked = "turn_left;blink:1;smile"
    rows = [
        ["me.mp4", "me.png", "genuine", "", asked],
        ["me.mp4", "me.png", "attack", "other_order", "smile;blink:1;turn_left"],
        ["me.mp4", "me.png", "attack", "other_side", "turn_right;blink:1;smile"],
        ["broken.mp4", "me.png", "genuine", "", asked],
        ["me.mp4", "none.png", "genuine", "", asked],
    ]
    out = tmp_path / "out.json"
    command = ["evaluate", "ceremony", "--clips", str(write_list(tmp_path / "l.csv", rows)), "--json", str(out)]
    result = CliRunner().invoke(main, [*command, "--models-dir", str(models_dir)])
    assert result.exit_code == 0, result.output
    entries = json.loads(out.read_text())["clips"]
    assert [entry["accepted"] for entry in entries] == [True, False, False, False, False]
    assert entries[0]["confirmed_by"] == ["challenge", "planarity"]
    assert "challenge" in entries[1]["denied_by"]
    assert "challenge" in entries[2]["denied_by"]
    assert [entry.get("error") for entry in entries[3:]] == ["clip_unreadable", "image_unreadable"]


@pytest.mark.models
def test_the_benchmark_plays_a_whole_login(tmp_path, models_dir):
    out = tmp_path / "face.json"
    result = CliRunner().invoke(
        main, ["bench", "face", "--json", str(out), "--runs", "1", "--models-dir", str(models_dir)]
    )
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert figures["frames"] == SPARSE.frames == 60
    assert figures["fluent"]["frames"] == FLUENT.frames == 156
    for film in (figures, figures["fluent"]):
        assert film["cpu_s"]["median"] > 0
        assert film["state_bytes"]["most"] < 100_000


def test_a_benchmark_that_does_not_exist_is_not_offered():
    result = CliRunner().invoke(main, ["bench", "nothing"])
    assert result.exit_code == 2


@pytest.mark.models
def test_a_whole_login_is_benchmarked_at_both_rates(tmp_path, models_dir):
    out = tmp_path / "login.json"
    result = CliRunner().invoke(
        main, ["bench", "login", "--json", str(out), "--runs", "1", "--models-dir", str(models_dir)]
    )
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert [figures["frames"], figures["fluent"]["frames"]] == [SPARSE.frames, FLUENT.frames]
    assert figures["fluent"]["cpu_s"]["median"] > 0
