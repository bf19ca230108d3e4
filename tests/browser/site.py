"""The real application on a loopback port for a real browser, with the clock in the test's hand."""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import ClosingIterator

from plugin.ceremonies.types import Purpose, Stage
from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import Reference
from plugin.web.cookies import cookie_name
from tests.plugin.api.web import make_app
from tests.plugin.factors.soft_key import SoftKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from playwright.sync_api import BrowserContext, Page

    from tests.plugin.factors.world import Person, World


class QuietHandler(WSGIRequestHandler):
    """Log nothing."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  (werkzeug's own name)
        pass


def read_whole(app: Any) -> Any:
    """Return `app` with every answer read and closed before it is sent.

    werkzeug's server leaves the file of an answer open when the browser hangs up (a page that is closed while it
    loads); what is garbage then is an error in our tests.
    """

    def whole(environ: Any, start_response: Any) -> list[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as answer:
            return list(answer)

    return whole


@dataclass
class Site:
    """A running service. `complaints` collects what the browser's console says."""

    url: str
    world: World

    def opens(self, context: BrowserContext, person: Person, query: str = "") -> Page:
        """Open the ceremony's page in a new tab of a browser that holds the ceremony's cookie."""
        context.add_cookies(
            [{"name": cookie_name(person.ceremony_id), "value": person.cookie, "url": self.url, "httpOnly": True}]
        )
        page = context.new_page()
        page.goto(f"{self.url}/ceremony/{person.ceremony_id}{query}")
        return page

    def person(self, subject: str = "alice-id") -> Person:
        person = self.world.person(subject)
        person.key = SoftKey(origin=self.url)
        return person


def _running_clock(world: World) -> Callable[[], datetime]:
    """Return a clock that starts at the world's time and runs: a face challenge is about seconds."""
    started = time.monotonic()
    return lambda: world.now + timedelta(seconds=time.monotonic() - started)


@contextmanager
def running_site(world: World, *, pipeline: Any = None) -> Iterator[Site]:
    """Serve the application until the block ends; WebAuthn needs a name, so the address says localhost."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    try:
        world.settings = replace(world.settings, issuer=f"http://localhost:{server.server_port}")
        world.database.close()
        world.open()
        server.app = read_whole(make_app(world, pipeline=pipeline, clock=_running_clock(world) if pipeline else None))
        thread.start()
        yield Site(world.settings.issuer, world)
    finally:
        if thread.is_alive():
            server.shutdown()
            thread.join(timeout=5)
        server.server_close()


def new_codes_page(site: Site, context: BrowserContext, subject: str) -> Page:
    """Open the last page of a login in which a saved code was used."""
    person, world = site.person(subject).has_face("alice"), site.world
    view = world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), person.codes[0], now=world.now)
    world.ceremonies.advance(view, to=Stage.DONE, proven="face", now=world.now)
    return site.opens(context, person)


def reminder_page(site: Site, context: BrowserContext, subject: str) -> Page:
    """Open the last page of a login whose person's face ends in a few days."""
    person = site.person(subject).has_face("alice")
    world = site.world
    with world.database.transaction() as session:
        row = session.scalars(select(Reference).filter_by(subject=subject)).one()
        row.expires_ms = to_ms(world.now + timedelta(days=12))
        sign(row, sealer=world.sealer)
    world.ceremonies.advance(person.proves_totp(), to=Stage.DONE, proven="face", now=world.now)
    return site.opens(context, person)
