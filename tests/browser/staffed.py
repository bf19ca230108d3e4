"""A site with a helpdesk, whose staff came back from the realm a moment ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.ceremonies.types import Subject
from tests.plugin.factors.world import REALM, World
from tests.plugin.helpdesk.office import open_office

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.browser.site import Site


class Staffed(World):
    """A world whose helpdesk is opened with every start of the service."""

    def open(self, *, new: bool = False) -> None:
        super().open(new=new)
        self.office = open_office(self)


def signs_in(site: Site, context: BrowserContext, name: str) -> None:
    """Give the browser the session of somebody who came back from the realm."""
    parts, world = site.world.office.parts, site.world
    token = parts.sessions.begin(Subject(REALM, f"{name}-id"), name=name, now=world.now)
    context.add_cookies([{"name": "facestep_desk", "value": token, "url": site.url}])
