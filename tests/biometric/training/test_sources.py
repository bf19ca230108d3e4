"""Who trains, who chooses, who tests: by person, and the same for everybody who follows the published rule."""

import pytest

from biometric.training.sources import (
    Kind,
    Part,
    TrainingDataUnusable,
    find_items,
    parts,
    person_digest,
)


def people(count):
    return [person_digest("nuaa", f"{number:04d}") for number in range(count)]


@pytest.mark.parametrize("count", [3, 7, 8, 44, 100])
def test_the_folds_test_everybody_exactly_once(count):
    tested = [person for fold in range(3) for person, part in parts(people(count), fold).items() if part is Part.TEST]
    assert sorted(tested) == sorted(people(count))


@pytest.mark.parametrize("fold", range(3))
def test_eight_people_are_split_into_train_choose_and_test(fold):
    split = list(parts(people(8), fold).values())
    assert (split.count(Part.TRAIN), split.count(Part.CHOOSE)) == ((4, 1) if fold < 2 else (5, 1))


def test_the_split_depends_on_names_alone():
    assert parts(people(8), 0) == parts(list(reversed(people(8))), 0)


@pytest.fixture
def data(tmp_path):
    """The folders of the data, with empty files: a split opens nothing."""
    names = [
        f"nuaa/{kind}/{n:04d}/{n:04d}_00_00_01_{k}.jpg"
        for kind in ("client", "imposter")
        for n in range(1, 9)
        for k in (1, 2)
    ]
    names += [f"nuaa/sequences/{kind}_{n:04d}_00_06_03/0001.jpg" for kind in ("client", "imposter") for n in (3, 4)]
    names += [f"lfw/P{n}/P{n}_0001.jpg" for n in range(20)]
    names += [f"videos/genuine/g{n}.mp4" for n in range(7)] + [
        "videos/replay/r.mov",
        "stills/image_T1.jpg",
        "stills/image_F1.jpg",
    ]
    for name in names:
        path = tmp_path / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize("fold", range(3))
def test_a_person_has_one_part_live_printed_and_in_sequences(data, fold):
    found = find_items(data, fold=fold)
    part = {}
    for item in found:
        assert part.setdefault(item.person, item.part) is item.part
    assert {item.kind for item in found if item.sequence} >= {Kind.NUAA_LIVE, Kind.NUAA_PRINT}


@pytest.mark.parametrize("fold", range(3))
def test_replays_and_stills_only_test(data, fold):
    only = {Kind.CLIP_REPLAY, Kind.STILL_LIVE, Kind.STILL_SPOOF}
    assert {item.part for item in find_items(data, fold=fold) if item.kind in only} == {Part.TEST}


def test_no_name_is_carried_along(data):
    assert all(len(item.person) == 64 for item in find_items(data))


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(TrainingDataUnusable, match="faces"):
        find_items(tmp_path)
