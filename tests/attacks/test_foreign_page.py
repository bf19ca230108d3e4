"""Another page in the victim's browser tries to use the victim's ceremony.

The attacker's page is on another port of the same host: for cookies that is the same site, so SameSite does not help
and only our own checks stand between.
"""

import threading

import pytest
from werkzeug.serving import make_server

from plugin.ceremonies.types import Purpose, Stage
from tests.browser.conftest import site, world
from tests.browser.site import QuietHandler

__all__ = ["site", "world"]

pytestmark = pytest.mark.browser

FORM = """<form id=f method=post enctype="text/plain" action="{url}"><input name='{{"x":"' value='"}}'></form>
<script>document.getElementById('f').submit()</script>"""
FETCH = """<script>
const calls = ['cancel', 'face/start', 'totp/verify'].map((name) => '{url}'.replace('cancel', name));
const ways = [
  {{mode: 'no-cors', credentials: 'include', method: 'POST', body: '{{}}'}},
  {{mode: 'cors', credentials: 'include', method: 'POST', body: '{{}}'}},
  {{mode: 'cors', credentials: 'include', method: 'POST', body: '{{}}',
    headers: {{'X-Facestep': '1', 'Content-Type': 'application/json'}}}},
];
Promise.allSettled(calls.flatMap((call) => ways.map((way) => fetch(call, way).then((answer) => answer.text()))))
  .then((results) => {{ document.title = 'read ' + results.filter((one) => one.value).length; }});
</script>"""
FRAME = "<iframe src='{url}' width=400 height=600></iframe>"


@pytest.fixture
def victim(site, chromium):
    """Return (alice with an open login, her browser)."""
    context = chromium.new_context()
    alice = site.person().has_totp()
    alice.comes_to(Purpose.LOGIN)
    site.opens(context, alice)
    yield alice, context
    context.close()


@pytest.fixture
def visit():
    """Let a browser open the attacker's page, which a real server on another port gives."""
    pages = []

    def app(_environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        return [pages[-1].encode()]

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def opened(context, html):
        pages.append(html)
        page = context.new_page()
        page.goto(f"http://localhost:{server.server_port}/")
        return page

    yield opened
    server.shutdown()
    thread.join(timeout=5)
    server.server_close()


def test_a_form_of_another_page_cannot_end_the_login(site, victim, visit):
    alice, context = victim
    page = visit(context, FORM.format(url=f"{site.url}/api/ceremony/{alice.ceremony_id}/cancel"))
    page.wait_for_url(f"{site.url}/**")
    assert "bad_request" in page.content()
    assert alice.view().stage is Stage.POSSESSION


def test_a_script_of_another_page_can_neither_call_nor_read(site, victim, visit):
    alice, context = victim
    page = visit(context, FETCH.format(url=f"{site.url}/api/ceremony/{alice.ceremony_id}/cancel"))
    page.wait_for_function("document.title.startsWith('read')")
    assert page.title() == "read 0"
    assert alice.view().stage is Stage.POSSESSION


def test_another_page_cannot_frame_ours(site, victim, visit):
    alice, context = victim
    ours = f"{site.url}/ceremony/{alice.ceremony_id}"
    failed = []
    context.on("requestfailed", lambda request: failed.append((request.url, request.failure)))
    page = visit(context, FRAME.format(url=ours))
    page.wait_for_load_state("networkidle")
    assert failed == [(ours, "net::ERR_BLOCKED_BY_RESPONSE")]  # our own headers forbid it
    assert page.frames[-1].url.startswith("chrome-error:")
