"""The face check whole: real page, real service, real models; the person at the camera is simulated."""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from plugin.ceremonies.types import Purpose, Stage
from tests.browser.conftest import watched_context
from tests.browser.site import running_site
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject
from tests.simulator.browser_camera import BrowserCamera
from tests.simulator.clips import person_clips, play, write_y4m
from tests.stack.chromium import launch_options

pytestmark = [pytest.mark.browser, pytest.mark.models]

VERDICT_MS = 40_000
LATE = "The pictures did not arrive as expected. Start the check again."


@pytest.fixture(scope="module")
def pipeline():
    from biometric.pipeline import FacePipeline  # noqa: PLC0415  (loads the models)

    return FacePipeline.open(Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser())


@pytest.fixture(scope="module")
def clips():
    """Return the recorded actions of a picture's person; rendered once."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = person_clips(Subject(load_picture(name)), seed=7)
        return made[name]

    return of


@pytest.fixture
def live(world, chromium, pipeline, clips):
    """Return (site, context, camera): a running service and a browser whose camera is in the test's hand."""
    with running_site(world, pipeline=pipeline) as site, watched_context(chromium) as context:
        camera = BrowserCamera(clips("person_b_1"))
        camera.install(context)
        context.route("https://idp.example/**", lambda route: route.fulfill(body="the identity provider"))
        yield site, context, camera


def shows_face(site, context, person):
    """Press the button and return the last state of the page."""
    page = site.opens(context, person)
    return page, presses(page)


def presses(page):
    page.click("#face-start")
    page.wait_for_selector("#face-step[data-state=running]", timeout=VERDICT_MS)
    page.wait_for_selector("#face-step:is([data-state=finished], [data-state=refused])", timeout=VERDICT_MS)
    return page.get_attribute("#face-step", "data-state")


def is_let_in(site, context, person):
    """Show the face, and again where the page offers it, as a person does: a busy machine drops pictures."""
    page, state = shows_face(site, context, person)
    for _ in range(2):
        if state == "finished":
            break
        state = presses(page)
    assert state == "finished", site.world.audited("face_refused")
    return page


def enrolled(site, context):
    alice = site.person()
    alice.enrols_up_to(Stage.FACE)
    is_let_in(site, context, alice).close()
    return alice


def test_a_person_enrols_and_logs_in_with_a_live_face(live):
    site, context, _ = live
    alice = enrolled(site, context)
    alice.proves_totp()
    page = is_let_in(site, context, alice)
    page.wait_for_url("https://idp.example/**")
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    assert site.world.redeem(code).amr == ("otp", "face")


def test_another_live_person_is_refused_with_one_sentence_and_may_try_again(live, clips):
    site, context, camera = live
    alice = enrolled(site, context)
    camera.clips = clips("impostor_1")
    alice.proves_totp()
    before = len(site.world.audited("face_refused"))
    page, state = shows_face(site, context, alice)
    for _ in range(2):
        if page.inner_text("#face-instruction") == LATE:  # a busy machine drops pictures
            state, before = presses(page), before + 1
    assert state == "refused"
    assert page.inner_text("#face-instruction") == "That did not work. Try again."
    assert page.locator("#face-start").is_visible()
    assert alice.view().stage is Stage.FACE
    assert len(site.world.audited("face_refused")) == before + 1


def test_a_still_picture_is_refused(live, clips):
    site, context, camera = live
    still = clips("person_b_1")["centre:1"]
    camera.clips = dict.fromkeys(camera.clips, still)
    alice = site.person()
    alice.has_totp().comes_to(Purpose.LOGIN)
    alice.proves_totp()
    _, state = shows_face(site, context, alice)
    assert state == "refused"


def test_chromiums_own_camera_reaches_the_service(world, playwright, pipeline, tmp_path):
    """No canvas in between: getUserMedia, its constraints and our Permissions-Policy, as with a camera of glass."""
    film = tmp_path / "person.y4m"
    write_y4m(film, play(Person(Subject(load_picture("person_b_1")), seed=5), [("centre", 1, 5.0)]))
    options = launch_options()
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    arguments = [*options["args"], *fake, f"--use-file-for-fake-video-capture={film}"]
    browser = playwright.chromium.launch(**{**options, "args": arguments})
    try:
        with running_site(world, pipeline=pipeline) as site, watched_context(browser) as context:
            alice = site.person()
            alice.has_totp().comes_to(Purpose.LOGIN)
            alice.proves_totp()
            page = site.opens(context, alice)
            page.click("#face-start")
            page.wait_for_selector("#face-step[data-state=running][data-index='0']", timeout=VERDICT_MS)
            assert page.get_attribute("#face-step", "data-action") in {"turn_left", "turn_right", "blink", "smile"}
    finally:
        browser.close()
