"""The public schedule, where there is a helpdesk and where there is none."""

from html import unescape

from tests.fakes.whole import open_whole
from tests.plugin.factors.world import world
from tests.plugin.helpdesk.office import open_office

__all__ = ["world"]


def schedule(world):
    page = open_whole(world).app.test_client().get("/retention", base_url=world.settings.issuer)
    assert page.status_code == 200
    return unescape(page.get_data(as_text=True))


def test_a_helpdesk_that_keeps_cases_says_so_and_for_how_long(world):
    assert "helpdesk for a way back in" not in schedule(world)
    office = open_office(world)
    keeps = f"deleted {office.parts.policy.keep_days} days after they began"
    assert keeps in schedule(world)
