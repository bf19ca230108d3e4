"""The two pages to read and to print: open to everybody, in step with the policy, nothing about anybody."""

from __future__ import annotations

import pytest

from tests.plugin.api.web import make_app
from tests.plugin.helpdesk.console import open_console


@pytest.mark.parametrize("page", ["for-callers", "for-staff"])
def test_a_guide_needs_no_login_and_runs_no_script(office, page):
    answer = open_console(office).get(f"/{page}")
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_callers_read_the_time_that_the_policy_gives_a_pass(office):
    assert "60 minutes" in open_console(office).get("/for-callers").text


@pytest.mark.parametrize("page", ["for-callers", "for-staff"])
def test_there_is_no_guide_where_there_is_no_helpdesk(world, page):
    assert make_app(world).test_client().get(f"/helpdesk/{page}").status_code == 404
