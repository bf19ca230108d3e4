"""The calls of the face check, without models: whatever is refused before a picture is looked at."""

from urllib.parse import parse_qs, urlsplit

import pytest

from plugin.ceremonies.types import Stage
from tests.fakes.whole import open_whole
from tests.plugin.api.web import error_of
from tests.plugin.factors.scripted import shows
from tests.plugin.factors.world import REDIRECT


@pytest.fixture
def at_camera(browser):
    """Alice has proven possession and sits before the camera."""
    browser.person.has_totp().proves_totp()
    return browser


def refused(response, *, may_retry=True):
    """Return the public code; a refusal has a sentence and nothing that tells how near it was."""
    assert response.status_code == 200
    answer = response.get_json()
    expected = {"state", "error", "message", "may_retry"} | (set() if may_retry else {"redirect"})
    assert set(answer) == expected
    assert (answer["state"], answer["may_retry"]) == ("refused", may_retry)
    return answer["error"]


def test_a_challenge_reveals_only_the_look_straight(at_camera):
    answer = at_camera.starts_face().get_json()
    assert len(answer.pop("chain_key")) == 43
    assert answer == {
        "step": {"index": -1, "action": "centre", "count": 1},
        "steps_total": 5,
        "deadline_ms": 30_000,
        "frame": {
            "width": 640,
            "height": 480,
            "interval_ms": 66,
            "jpeg_quality": 0.9,
            "batch": 6,
            "batch_most": 11,
            "max": 450,
            "max_bytes": 400_000,
        },
    }


def test_frames_without_a_challenge_are_refused(at_camera):
    assert refused(at_camera.sends_frames([b"jpeg"])) == "frames_invalid"


def test_something_that_is_no_picture_is_refused(at_camera):
    at_camera.starts_face()
    assert refused(at_camera.sends_frames([b"no picture"])) == "image_unreadable"


def test_frames_that_do_not_begin_at_the_beginning_are_refused(at_camera):
    at_camera.starts_face()
    assert refused(at_camera.sends_frames([b"\xff\xd8\xff"], first=3)) == "frames_invalid"


def test_a_challenge_is_gone_after_a_refusal(at_camera):
    at_camera.starts_face()
    at_camera.sends_frames([b"no picture"])
    assert refused(at_camera.sends_frames([b"\xff\xd8\xff"])) == "frames_invalid"


def test_after_the_third_refusal_the_person_is_taken_back_without_a_code(world, at_camera):
    for _ in range(2):
        at_camera.starts_face()
        refused(at_camera.sends_frames([b"no picture"]))
    at_camera.starts_face()
    last = at_camera.sends_frames([b"no picture"])
    refused(last, may_retry=False)
    target = last.get_json()["redirect"]
    query = parse_qs(urlsplit(target).query)
    assert target.startswith(REDIRECT)
    assert (query["error"], "code" in query) == (["access_denied"], False)
    assert error_of(at_camera.starts_face()) == (410, "ceremony_refused")
    assert error_of(at_camera.call("finish")) == (410, "ceremony_refused")


def test_shopping_for_an_easy_challenge_ends_the_ceremony(at_camera):
    for _ in range(3):
        assert "step" in at_camera.starts_face().get_json()
    refused(at_camera.starts_face(), may_retry=False)
    assert error_of(at_camera.starts_face()) == (410, "ceremony_refused")


def test_a_locked_face_says_how_long_to_wait_and_a_new_ceremony_does_not_help(world, at_camera):
    answers = []
    while len(answers) < 20 and (not answers or answers[-1].status_code != 429):
        answers.append(at_camera.starts_face())
        if at_camera.starts_face().status_code == 410:
            world.passes(seconds=60)
            at_camera.person.proves_totp()
    locked = answers[-1]
    assert error_of(locked) == (429, "locked_for_now")
    assert int(locked.headers["Retry-After"]) >= 1


def test_no_camera_without_consent(browser):
    browser.person.enrols_up_to(Stage.CONSENT)
    assert error_of(browser.starts_face())[1] in {"possession_first", "consent_missing"}


def test_a_person_whose_face_ends_soon_is_told_before_the_result_is_handed_out(world):
    whole = open_whole(world)
    browser = whole.browser(world.person().has_face())
    world.passes(seconds=340 * 86_400)
    assert whole.arrives(browser).status_code == 303
    browser.call("totp/verify", {"code": browser.person.code()})
    browser.starts_face()
    answer = browser.sends_frames([frame.jpeg for frame in shows("go", "done:alice")]).get_json()
    assert (answer["state"], "redirect" in answer) == ("finished", False)
    page = browser.page().get_data(as_text=True)
    assert "Renew your face reference soon" in page
    assert "01 March 2027" in page
    assert "code=" in browser.call("finish").get_json()["redirect"]
