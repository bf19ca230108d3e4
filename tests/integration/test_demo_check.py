"""demo-check as part of the tests: a real browser, Keycloak, OpenBao and service; one test a case, in their order."""

from __future__ import annotations

import pytest

from tests.stack.cases import CASES
from tests.stack.check import play, running_world

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.models]


@pytest.fixture(scope="module")
def world(chromium):
    with running_world(chromium, vault="openbao") as running:
        yield running


def test_the_embedded_keyring_serves_as_well(chromium):
    """`make demo VAULT=local`: no OpenBao, the same enrolment and face step."""
    enrolment = next(case for case in CASES if case.name == "enrol with an authenticator app")
    with running_world(chromium, vault="local") as running:
        outcome = play(running, enrolment)
    assert outcome.seen == enrolment.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_case_is_as_expected(world, case):
    outcome = play(world, case)
    print(outcome.line())
    assert outcome.seen == case.expected
