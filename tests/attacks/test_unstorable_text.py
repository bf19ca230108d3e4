"""Attack: text that a database cannot keep (NUL, half of a surrogate pair), to make a fault of ours out of a request.

A fault would fill the logs, count as ours, differ between databases, and might leave something half-written. So each
place where a stranger's text comes in must answer that the request is bad, on each database, and change nothing.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from sqlalchemy import select

from plugin.app import create_app
from plugin.ceremonies.types import Purpose
from plugin.store.tables import Base
from tests.fakes.whole import open_whole
from tests.plugin.api.test_api_every_call import CALLS
from tests.plugin.factors.world import REALM
from tests.plugin.factors.worlds import pytest_generate_tests, world
from tests.plugin.helpdesk.console import Console
from tests.plugin.helpdesk.office import open_office

__all__ = ["pytest_generate_tests", "world"]

NUL, HALF = "\x00", "\ud800"
UNSTORABLE = [NUL, f"a{NUL}b", HALF, f"a{HALF}"]
WRITTEN_ON_REFUSAL = {"audit_entries"}
"""A refused request of an identity provider is written down."""


@pytest.fixture
def office(world):
    return open_office(world)


@pytest.fixture
def whole(world, office):
    return open_whole(world)


def everything(world, *, but=frozenset()):
    """Return every row of every table."""
    with world.database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
            if table.name not in but
        }


def replaced(value, bad):
    """Yield `value` with each text in it, at any depth, replaced in turn, and with a name that is bad."""
    if isinstance(value, str):
        yield bad
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: changed} for changed in replaced(inner, bad))
        yield {**value, bad: 1}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], changed, *value[place + 1 :]] for changed in replaced(inner, bad))


def test_a_json_body_of_every_call(world, whole):
    browser = whole.browser()
    browser.person.comes_to(Purpose.LOGIN)
    before = everything(world)
    asked = 0
    for name, body in CALLS.items():
        for bad in (NUL, HALF):
            for changed in replaced(body, bad):
                answer = browser.call(name, data=json.dumps(changed))
                assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request"), (name, changed)
                asked += 1
    assert asked > 2 * len(CALLS)
    assert everything(world) == before


def test_what_belongs_to_the_frames_is_read_with_the_same_eyes(world, whole):
    browser = whole.browser()
    browser.person.comes_to(Purpose.LOGIN)
    for bad in (NUL, HALF):
        meta = json.dumps({"frames": [{"seq": 0, "captured_ms": 0, "tag": bad}], "light_ms": None})
        answer = browser.call("face/frames", data={"meta": meta}, content_type="multipart/form-data")
        assert answer.status_code == 400


def test_a_name_in_the_path_of_every_route(world, whole):
    client = whole.app.test_client()
    before = everything(world)
    asked = 0
    for rule in whole.app.url_map.iter_rules():
        if not rule.arguments:
            continue
        path = re.sub("<[^>]+>", "%00", rule.rule)
        for method in rule.methods - {"OPTIONS"}:
            answer = client.open(path, method=method, base_url=world.settings.issuer)
            assert answer.status_code == 400, (method, path)
            asked += 1
    assert asked > 20
    assert everything(world) == before


def test_the_query_of_every_page(world, whole):
    client = whole.app.test_client()
    before = everything(world)
    rules = [rule for rule in whole.app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    for rule in rules:
        for query in ("client_id=%00&request=a.b.c", "state=%00&code=x", "%00=1"):
            answer = client.get(f"{rule.rule}?{query}", base_url=world.settings.issuer)
            assert answer.status_code == 400, (rule.rule, query)
    assert everything(world) == before


def test_a_form_of_the_back_channel(world, whole):
    before = everything(world)
    for path, fields in (
        ("/idp/erase", {"subject": f"alice{NUL}"}),
        ("/token", {"code": NUL, "grant_type": "authorization_code"}),
        ("/token", {"code": "x", "grant_type": "authorization_code", "code_verifier": NUL}),
    ):
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            form = {"client_assertion": whole.assertion(), **fields}
            client = whole.app.test_client()
            answer = client.post(path, data=form, content_type=kind, base_url=world.settings.issuer)
            assert answer.status_code == 400, (path, kind)
    assert everything(world) == before


def test_a_form_of_the_helpdesk(world, office, whole):
    ada = Console(whole.app, office)
    ada.signs_in("ada")
    path = ada.opens()
    before = everything(world)
    right = {"name": "alice", "ticket": "T-1", "reason": "phone lost"}
    for field, value in right.items():
        assert ada.post("/cases", **(right | {field: value + NUL})).status_code == 400
    assert ada.post(f"{path}/proofs", proof=f"call_back{NUL}").status_code == 400
    assert ada.post(f"{path}/ask", **{NUL: "1"}).status_code == 400
    assert everything(world) == before


def test_a_claim_of_a_signed_request(world, whole):
    """Also one that nobody signed: whose keys to try is looked up before the signature is."""
    realm, issuer = whole.realm, world.settings.issuer
    before = everything(world, but=WRITTEN_ON_REFUSAL)
    for claim in ("iss", "sub", "state", "nonce", "jti", "preferred_username", "more"):
        client = create_app(world.settings, whole.app.extensions["facestep"]).test_client()  # whom nobody limits yet
        for bad in UNSTORABLE:
            signed = realm.request(aud=issuer, **{claim: bad})
            for client_id in (realm.issuer, bad.encode("utf-8", "replace").decode()):
                query = f"client_id={quote(client_id)}&request={signed}"
                answer = client.get(f"/authorize?{query}", base_url=issuer)
                assert answer.status_code in {400, 401}, (claim, bad, client_id)
    assert everything(world, but=WRITTEN_ON_REFUSAL) == before
    world.audit.verify()


TEXTS = ("sub", "state", "nonce", "jti", "code_challenge", "acr_values", "preferred_username", "ui_locales")
LONG = {
    **dict.fromkeys(TEXTS, "x" * 2049),
    "redirect_uri": f"{REALM}/login-actions/authenticate?session_code={'x' * 2049}",
}


def test_a_claim_that_is_longer_than_its_column(world, whole):
    """SQLite would keep it, PostgreSQL would not."""
    before = everything(world, but=WRITTEN_ON_REFUSAL)
    for claim, value in LONG.items():
        signed = whole.realm.request(aud=world.settings.issuer, **{claim: value})
        query = f"client_id={quote(REALM)}&request={signed}"
        answer = whole.app.test_client().get(f"/authorize?{query}", base_url=world.settings.issuer)
        assert answer.status_code in {400, 401}, claim
    assert everything(world, but=WRITTEN_ON_REFUSAL) == before


def test_an_assertion_that_names_such_an_issuer(world, whole):
    for bad in UNSTORABLE:
        assertion = whole.realm.assertion(aud=world.settings.issuer, iss=bad, sub=bad)
        form = {"client_assertion": assertion, "subject": "alice"}
        answer = whole.app.test_client().post("/idp/erase", data=form, base_url=world.settings.issuer)
        assert answer.status_code in {400, 401}
    world.audit.verify()
