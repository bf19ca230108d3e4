"""The face page alone: what it sends, shows and says, with answers of the server written by the test."""

import itertools
import json
from io import BytesIO

import cv2
import numpy as np
import pytest
from werkzeug.formparser import parse_form_data

from biometric.liveness.chain import sign_frames
from biometric.types import Frame
from plugin.ceremonies.types import Stage

pytestmark = pytest.mark.browser

START = {
    "step": {"index": -1, "action": "centre", "count": 1},
    "steps_total": 5,
    "deadline_ms": 30_000,
    "chain_key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
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
GO_ON = {"state": "go_on", "hint": None, "step": START["step"]}
REFUSED = {"state": "refused", "error": "face_rejected", "message": "That did not work. Try again.", "may_retry": True}


def step(index, action, count=1, *, hint=None, state="next_step", **more):
    return {"state": state, "hint": hint, "step": {"index": index, "action": action, "count": count, **more}}


# a camera whose picture is red on its left half and blue on its right, with a moving dot so that no two are equal
CAMERA = """
if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 480];
  const context = canvas.getContext('2d');
  let tick = 0;
  const paint = () => {
    context.fillStyle = '#f00'; context.fillRect(0, 0, 320, 480);
    context.fillStyle = '#00f'; context.fillRect(320, 0, 320, 480);
    context.fillStyle = '#fff'; context.fillRect(tick++ % 640, 200, 4, 4);
  };
  paint();
  setInterval(paint, 33);
  window.cameraTracks = (window.cameraTracks ?? []);
  const stream = canvas.captureStream(30);
  window.cameraTracks.push(...stream.getTracks());
  return stream;
};
"""


class FaceServer:
    """Answers the page's calls from a list, the last answer for ever; keeps what the page sent."""

    def __init__(self, page, answers):
        self.answers = list(answers)
        self.uploads = []
        self.starts = []
        self.light_ms = []
        page.route("**/face/start", self._start)
        page.route("**/face/frames", self._frames)

    def _start(self, route):
        self.starts.append(route.request.post_data_json)
        route.fulfill(json=START)

    def _frames(self, route):
        request = route.request
        body = request.post_data_buffer
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": request.headers["content-type"],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
        _, form, files = parse_form_data(environ, stream_factory=lambda *_, **__: BytesIO())
        meta = json.loads(form["meta"])
        frames = meta["frames"]
        self.light_ms.append(meta["light_ms"])
        self.uploads.append([(entry, files[f"f{i}"].stream.read()) for i, entry in enumerate(frames)])
        assert request.headers["x-facestep"] == "1"
        route.fulfill(json=self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


@pytest.fixture
def at_camera(site, tab):
    """Alice's tab on the face page; call it with the server's answers."""

    def open_page(answers, *, camera=CAMERA):
        alice = site.person()
        alice.enrols_up_to(Stage.FACE)
        tab.add_init_script(camera)
        page = site.opens(tab, alice)
        return page, FaceServer(page, answers)

    return open_page


def state(page, name):
    page.wait_for_selector(f"#face-step[data-state={name}]")


def test_frames_are_sent_unmirrored_in_order_and_every_upload_repeats_the_last_frame(at_camera):
    page, server = at_camera([GO_ON, GO_ON, GO_ON, GO_ON, REFUSED])
    page.click("#face-start")
    state(page, "refused")
    entries = [[entry for entry, _ in upload] for upload in server.uploads]
    assert len(entries) == 5
    assert [entry["seq"] for entry in entries[0]] == list(range(len(entries[0])))
    for before, after in zip(server.uploads, server.uploads[1:], strict=False):
        assert after[0] == before[-1]
        sequence = [entry["seq"] for entry, _ in after]
        assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
    times = [entry["captured_ms"] for upload in entries[:1] + [u[1:] for u in entries[1:]] for entry in upload]
    assert times == sorted(set(times))
    pictures = [jpeg for upload in server.uploads for _, jpeg in upload[1:]]
    assert len(set(pictures)) == len(pictures)
    picture = cv2.imdecode(np.frombuffer(pictures[0], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)
    blue, red = picture[240, 600], picture[240, 40]
    assert (blue[0] > 200, red[2] > 200) == (True, True)


def test_every_frame_carries_the_tag_of_its_place_in_the_chain(at_camera):
    page, server = at_camera([GO_ON, GO_ON, REFUSED])
    page.click("#face-start")
    state(page, "refused")
    sent = [one for at, upload in enumerate(server.uploads) for one in upload[1 if at else 0 :]]
    frames = [Frame(entry["seq"], entry["captured_ms"], jpeg) for entry, jpeg in sent]
    expected = [frame.tag.hex() for frame in sign_frames(frames, key=bytes(range(32)))]
    assert [entry["tag"] for entry, _ in sent] == expected
    assert len(expected) >= 12


def test_the_page_tells_what_the_browser_says_of_its_camera(at_camera):
    page, server = at_camera([REFUSED])
    page.click("#face-start")
    state(page, "refused")
    assert server.starts[0]["light"] is True
    camera = server.starts[0]["camera"]
    assert set(camera) == {"label", "width", "height", "frame_rate"}
    assert (camera["width"], camera["height"]) == (640, 480)


def test_a_camera_that_gives_each_picture_four_times_has_none_sent_twice(at_camera):
    slow = CAMERA.replace("tick++ % 640", "Math.floor(tick++ / 4) % 640")
    page, server = at_camera([GO_ON, GO_ON, REFUSED], camera=slow)
    page.click("#face-start")
    state(page, "refused")
    pictures = [jpeg for at, upload in enumerate(server.uploads) for _, jpeg in upload[1 if at else 0 :]]
    assert len(pictures) >= 9  # three uploads, each of what a slow camera gives in 0.4 s
    assert len(set(pictures)) == len(pictures)


def test_the_preview_is_mirrored_and_the_arrow_points_to_the_same_side(at_camera):
    page, _ = at_camera([step(0, "turn_left", state="go_on")])
    page.click("#face-start")
    page.wait_for_selector("#face-step[data-action=turn_left]")
    assert page.evaluate("getComputedStyle(document.getElementById('face-video')).transform").startswith("matrix(-1")
    arrow, oval = (page.locator(selector).bounding_box() for selector in (".cue.left", ".oval"))
    assert arrow["x"] + arrow["width"] < oval["x"]
    assert not page.locator(".cue.right").is_visible()


def test_each_step_is_shown_large_and_announced(at_camera):
    answers = [step(0, "blink", 2), step(1, "turn_right"), step(2, "smile"), REFUSED]
    page, _ = at_camera([GO_ON, *[answer for answer in answers for _ in range(3)]])
    page.evaluate(
        """() => {
          window.said = [];
          const announcer = document.getElementById('face-announcer');
          new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, {childList: true});
        }"""
    )
    page.click("#face-start")
    state(page, "refused")
    said = page.evaluate("window.said")
    wanted = ["Look straight into the camera", "Blink twice", "Slowly turn your head to your right", "Smile"]
    assert [sentence for sentence in said if sentence in wanted] == wanted
    assert page.get_attribute("#face-announcer", "aria-live") == "assertive"
    assert page.inner_text("#face-instruction") == REFUSED["message"]


def test_a_hint_tells_the_person_what_to_change(at_camera):
    page, _ = at_camera([GO_ON | {"hint": "too_dark"}])
    page.click("#face-start")
    page.locator("#face-hint", has_text="It is too dark. Turn on a light or face a window.").wait_for()


def test_between_two_steps_the_page_asks_to_look_straight(at_camera):
    page, _ = at_camera([step(0, "turn_left"), step(0, "turn_left", hint="look_straight", state="go_on")])
    page.click("#face-start")
    page.wait_for_selector("#face-step[data-action=centre][data-index='0']")
    assert "look straight" in page.inner_text("#face-instruction")


TRACKS_ENDED = "window.cameraTracks.length > 0 && window.cameraTracks.every((track) => track.readyState === 'ended')"


def test_after_a_refusal_the_camera_is_off_and_the_person_may_try_again(at_camera):
    page, server = at_camera([GO_ON, REFUSED])
    page.click("#face-start")
    state(page, "refused")
    assert page.evaluate(TRACKS_ENDED)
    assert page.evaluate("document.activeElement.id") == "face-start"
    assert page.inner_text("#face-start") == "Try again"
    server.answers = [GO_ON]
    page.keyboard.press("Enter")
    state(page, "running")
    assert len(server.starts) == 2
    assert server.uploads[-1] is not None


def test_when_the_server_says_done_the_camera_is_off_and_the_page_moves_on(at_camera):
    page, _ = at_camera([{"state": "finished", "redirect": "https://idp.example/back?code=1&state=2"}])
    page.route("https://idp.example/**", lambda route: route.fulfill(body="welcome"))
    page.click("#face-start")
    state(page, "finished")
    assert page.evaluate(TRACKS_ENDED)
    page.wait_for_url("https://idp.example/back?code=1&state=2")


def test_an_error_of_the_server_stops_the_camera_and_is_said(at_camera):
    page, _ = at_camera([GO_ON])
    page.unroute("**/face/frames")
    page.route(
        "**/face/frames", lambda route: route.fulfill(status=503, json={"error": "store_busy", "message": "Busy."})
    )
    page.click("#face-start")
    state(page, "refused")
    assert page.evaluate(TRACKS_ENDED)
    assert page.inner_text("#face-instruction") == "Busy."


def test_a_lost_connection_stops_the_camera_and_is_said(at_camera):
    page, _ = at_camera([GO_ON])
    page.unroute("**/face/frames")
    page.route("**/face/frames", lambda route: route.abort())
    page.click("#face-start")
    state(page, "refused")
    assert page.evaluate(TRACKS_ENDED)
    assert "does not answer" in page.inner_text("#face-instruction")


def test_an_unplugged_camera_ends_the_check(at_camera):
    page, _ = at_camera([GO_ON])
    page.click("#face-start")
    state(page, "running")
    page.evaluate("window.cameraTracks.forEach((track) => track.dispatchEvent(new Event('ended')))")
    state(page, "refused")
    assert "switched off" in page.inner_text("#face-instruction")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("new DOMException('', 'NotAllowedError')", "The camera is blocked."),
        ("new DOMException('', 'NotFoundError')", "No camera was found."),
        ("new DOMException('', 'NotReadableError')", "Close other programs"),
    ],
    ids=["denied", "absent", "busy"],
)
def test_without_a_camera_no_attempt_is_used_and_the_page_says_what_to_do(at_camera, error, sentence):
    broken = f"if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {{ throw {error}; }}"
    page, server = at_camera([GO_ON], camera=broken)
    page.click("#face-start")
    state(page, "refused")
    assert sentence in page.inner_text("#face-instruction")
    assert len(server.starts) == 0
    assert page.get_by_role("link", name="Go on without the camera").is_visible()


def test_another_way_is_there_while_the_camera_runs(at_camera):
    page, _ = at_camera([GO_ON])
    page.click("#face-start")
    state(page, "running")
    page.click("#another-way")
    page.get_by_role("heading", name="Without the camera").wait_for()


def test_nothing_moves_for_those_who_asked_for_no_motion(at_camera):
    page, _ = at_camera([step(0, "turn_left", state="go_on")])
    page.emulate_media(reduced_motion="reduce")
    page.click("#face-start")
    page.wait_for_selector("#face-step[data-action=turn_left]")
    assert page.evaluate("getComputedStyle(document.querySelector('.cue.left')).animationName") == "none"


RED, GREEN = [255, 93, 93], [0, 174, 0]
FLASH = step(4, "flash", colours=[RED, GREEN, RED, GREEN], hold_ms=500)


def paints(page):
    """Note every colour that the lamp is given, and when."""
    page.evaluate(
        """() => {
          const lamp = document.getElementById('face-light');
          window.painted = [];
          new MutationObserver(() => window.painted.push([performance.now(), lamp.hidden, lamp.style.backgroundColor]))
            .observe(lamp, {attributes: true});
        }"""
    )


def test_the_colours_are_shown_in_order_for_as_long_as_asked_and_the_page_says_when_they_began(at_camera):
    page, server = at_camera([GO_ON, FLASH] + [FLASH | {"state": "go_on"}] * 7 + [REFUSED])
    paints(page)
    page.click("#face-start")
    state(page, "refused")
    assert [start["light"] for start in server.starts] == [True]
    painted = page.evaluate("window.painted")
    colours = {name: f"rgb({value[0]}, {value[1]}, {value[2]})" for name, value in (("red", RED), ("green", GREEN))}
    lit = [(at, colour) for at, hidden, colour in painted if not hidden and colour in colours.values()]
    assert [colour for _, colour in lit] == [colours["red"], colours["green"]] * 2
    holds = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(lit)]
    assert all(480 <= hold <= 900 for hold in holds), holds
    assert page.locator("#face-light").is_hidden()
    assert server.light_ms[:2] == [None, None]
    assert len(set(server.light_ms[-3:])) == 1
    assert isinstance(server.light_ms[-1], int)


def test_who_declines_the_colours_is_not_shown_any(at_camera):
    page, server = at_camera([GO_ON, step(3, "closer", state="go_on"), REFUSED])
    page.uncheck("#face-light-wanted")
    page.click("#face-start")
    state(page, "refused")
    assert [start["light"] for start in server.starts] == [False]
    assert set(server.light_ms) == {None}
    assert page.locator("#face-light").is_hidden()


@pytest.mark.parametrize("stop", ["button", "Escape"])
def test_the_colours_can_be_stopped_at_once_and_are_then_switched_off(at_camera, stop):
    page, server = at_camera([GO_ON, FLASH, FLASH | {"state": "go_on"}])
    page.click("#face-start")
    page.wait_for_selector("#face-light:visible")
    page.click("#face-light-stop") if stop == "button" else page.keyboard.press("Escape")
    state(page, "refused")
    assert page.locator("#face-light").is_hidden()
    assert "switched off" in page.locator("#face-instruction").text_content()
    assert not page.is_checked("#face-light-wanted")
    page.click("#face-start")
    state(page, "running")
    assert [start["light"] for start in server.starts] == [True, False]


def test_once_near_the_person_is_told_to_stay(at_camera):
    page, _ = at_camera([step(3, "closer", state="go_on", hint="stay_near")])
    page.click("#face-start")
    page.wait_for_selector("#face-step[data-action=stay]")
    assert "Stay" in page.locator("#face-instruction").text_content()
