"""The simulated camera in a real Chromium, under the strictest CSP that a page with a camera can have."""

from __future__ import annotations

import threading
from base64 import b64decode
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.simulator import Person
from tests.simulator.browser_camera import BrowserCamera
from tests.simulator.clips import PROMPT, person_clips, play, write_y4m
from tests.simulator_tests.measures import measure
from tests.stack.chromium import launch_options

pytestmark = [pytest.mark.browser, pytest.mark.models]

CSP = "default-src 'none'; script-src 'self'; media-src blob:; img-src blob:; base-uri 'none'; frame-ancestors 'none'"
PAGE = b"""<!doctype html><title>step</title><div id="face-step" data-index="-1" data-action="centre" data-count="1"
data-state="running"></div><div id="face-light" hidden>.</div><script src="/page.js"></script>"""
SCRIPT = b"""
const video = document.createElement("video");
const canvas = document.createElement("canvas");
canvas.width = 640; canvas.height = 480;
navigator.mediaDevices.getUserMedia({video: true}).then((stream) => {
  video.srcObject = stream;
  return video.play();
}).then(() => { document.title = "camera"; });
window.takePicture = () => new Promise((done) => video.requestVideoFrameCallback(() => {
  canvas.getContext("2d").drawImage(video, 0, 0);
  done(canvas.toDataURL("image/jpeg", 0.9));
}));
window.askFor = (index, action, count) => {
  const step = document.getElementById("face-step");
  step.dataset.count = count; step.dataset.action = action; step.dataset.index = index;
};
window.shine = (colour) => {
  const light = document.getElementById("face-light");
  light.hidden = colour === null;
  if (colour) light.style.backgroundColor = colour;
};
"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = SCRIPT if self.path == "/page.js" else PAGE
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if self.path == "/page.js" else "text/html")
        self.send_header("Content-Security-Policy", CSP)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Stay silent."""


@pytest.fixture
def page_url():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def browse(page_url, playwright):
    """Open the page with a camera; console errors, such as CSP violations, fail the test."""
    problems = []
    options = launch_options()
    with ExitStack() as opened:

        def open_page(camera=None, arguments=()):
            browser = playwright.chromium.launch(**{**options, "args": [*options["args"], *arguments]})
            opened.callback(browser.close)
            page = browser.new_page()
            page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: problems.append(str(error)))
            if camera is not None:
                camera.install(page)
            page.goto(page_url)
            expect(page).to_have_title("camera", timeout=20_000)  # wait_for_function needs eval, which the CSP forbids
            return page

        yield open_page
    assert problems == []


@pytest.fixture(scope="module")
def clips(person_b):
    return person_clips(person_b, seed=4)


@pytest.fixture
def page(browse, clips):
    return browse(BrowserCamera(clips))


def _watch(page, seconds):
    pictures = []
    for _ in range(round(seconds * 10)):
        page.wait_for_timeout(90)
        data = b64decode(page.evaluate("takePicture()").split(",")[1])
        pictures.append(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    return pictures


def test_the_person_in_the_browser_obeys_the_step_that_the_page_shows(page):
    neutral = [measure(picture) for picture in _watch(page, 0.6)]
    page.evaluate("askFor(0, 'turn_left', '1')")
    turned = [measure(picture) for picture in _watch(page, 3.0)]
    page.evaluate("askFor(1, 'blink', '2')")
    blinking = [measure(picture) for picture in _watch(page, 4.0)]
    assert max(abs(m.yaw) for m in neutral) < 6
    assert max(m.yaw for m in turned) > 18
    assert abs(blinking[-1].yaw) < 6
    assert min(m.eye_ratio for m in blinking) < 0.65 * np.median([m.eye_ratio for m in neutral])


def test_the_person_comes_closer_stays_and_is_lit_by_the_page(page):
    far = measure(_watch(page, 0.2)[0]).eye_distance
    page.evaluate("askFor(0, 'closer', '1')")
    _watch(page, 3.2)
    page.evaluate("askFor(1, 'flash', '1')")
    dark = _watch(page, 1.0)
    assert min(measure(picture).eye_distance for picture in dark) > 1.35 * far
    lit = []
    for colour in ("rgb(255, 93, 93)", "rgb(0, 174, 0)", "rgb(135, 135, 255)"):
        page.evaluate(f"shine('{colour}')")
        lit.append(_watch(page, 0.5)[1:])
    page.evaluate("shine(null)")
    after = _watch(page, 0.4)[1:]
    assert measure(lit[-1][-1]).eye_distance > 1.35 * far
    cheeks, wall = np.s_[250:330, 240:400], np.s_[20:120, 10:90]

    def colours(pictures, place):
        mean = np.mean([picture[place].mean(axis=(0, 1)) for picture in pictures], axis=0)
        return mean / mean.sum()

    plain = colours([*dark, *after], cheeks)
    strongest = [int(np.argmax(colours(pictures, cheeks) - plain)) for pictures in lit]
    assert strongest == [2, 1, 0]
    still = colours([*dark, *after], wall)
    for pictures in lit:
        face, behind = (
            np.abs(colours(pictures, place) - base).max() for place, base in ((cheeks, plain), (wall, still))
        )
        assert behind < face / 2


def test_no_two_pictures_are_equal(page):
    pictures = {picture.tobytes() for picture in _watch(page, 2.0)}
    assert len(pictures) == 20


def test_chromium_itself_can_play_a_simulated_person(browse, person_b, tmp_path):
    film = tmp_path / "person.y4m"
    person = Person(person_b, seed=5, habits=PROMPT)
    write_y4m(film, play(person, [("turn_right", 1, 1.5), ("centre", 1, 1.0)]))
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    page = browse(arguments=[*fake, f"--use-file-for-fake-video-capture={film}"])
    assert min(measure(picture).yaw for picture in _watch(page, 3.0)) < -18
