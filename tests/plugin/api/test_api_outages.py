"""The vault sealed, denying or slow, or the database locked, while somebody logs in.

What the outside sees, what is written, and that the login works once the fault is gone.

Each fault comes twice: before the call, and midway: after the attempt was counted, the challenge or the code used up.
An attempt that was counted stays counted, and a challenge or result code that was used up stays used up: the person
asks for a new one. Nothing else may have changed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from plugin.ceremonies.types import Stage
from plugin.errors import PUBLIC, ServiceError
from plugin.store.database import Database
from plugin.store.tables import Base
from tests.fakes.vault_server import DENIED, SEALED, SLOW, FakeVault
from tests.fakes.whole import Whole, code_in, open_whole
from tests.plugin.api.web import error_of
from tests.plugin.factors.scripted import shows
from tests.plugin.factors.world import World, hash_cheaply
from vault.transit import TransitSealer

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugin.audit.log import AuditEntryView
    from plugin.ceremonies.types import CeremonyView
    from tests.plugin.api.web import Browser
    from tests.plugin.factors.world import Person

LOCKED = "locked"
CODES = {SEALED: "vault_unavailable", DENIED: "vault_denied", SLOW: "vault_unavailable", LOCKED: "store_busy"}


class Outages(World):
    """A world on a vault that can fail and a database that somebody else can hold."""

    def __init__(self, folder, vault) -> None:
        self.vault = vault
        self.holder = None
        super().__init__(folder)

    def open_database(self):
        return Database(self.settings.database_url, busy_timeout_s=0.3)

    def open_sealer(self):
        return TransitSealer(self.vault.url, "token")

    def fails(self, fault: str, *, on: str | None = None) -> None:
        """Let the fault begin now, or with the next use of the vault's key `on`."""
        if fault == LOCKED and on is None:
            self.locks()
        elif fault == LOCKED:
            self.vault.on_call = lambda key: self.locks() if key == on else None
        else:
            self.vault.fault, self.vault.only = fault, on
            self.sealer.client.http.timeout_s = 0.3 if fault == SLOW else 3.0

    def locks(self) -> None:
        if self.holder is None:
            self.holder = sqlite3.connect(self.database._file, isolation_level=None, check_same_thread=False)
            self.holder.execute("BEGIN IMMEDIATE")

    def recovers(self) -> None:
        self.vault.recovers()
        self.sealer.client.http.timeout_s = 3.0
        if self.holder is not None:
            self.holder.close()
            self.holder = None

    def has_not_met(self, table: str) -> None:
        """Be a worker that has read no row of this table since it started: the MAC key is still in the vault."""
        self.sealer._label_keys.pop(f"row:{table}", None)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table."""
        with self.database.reading() as session:
            return {
                table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
                for table in Base.metadata.sorted_tables
            }


@dataclass
class Call:
    """One call that a person or an identity provider makes.

    Attributes:
        make: bring a person to it and return it, ready to be made.
        midway: the vault's key that is used after the first write; there a fault hurts most.
        before: tables that have changed when the vault was away from the start.
        half: tables that have changed when the fault came midway.
        anew: whether it takes a new challenge or login after a fault midway.
    """

    make: Callable[[Whole, Browser], Callable[[], Any]]
    midway: str
    before: set[str]
    half: set[str]
    anew: bool = False


def totp(whole, browser):
    browser.person.has_totp()
    whole.arrives(browser)
    body = {"code": browser.person.code()}
    return lambda: browser.call("totp/verify", body)


def recovery(whole, browser):
    browser.person.has_totp()
    whole.arrives(browser)
    whole.world.has_not_met("recovery_codes")
    return lambda: browser.call("recovery/verify", {"code": browser.person.codes[0]})


def webauthn(whole, browser):
    browser.person.has_key()
    whole.arrives(browser)
    return answers_with_key(whole, browser)


def answers_with_key(whole, browser):
    answer = browser.person.key.get(browser.call("webauthn/options").get_data(as_text=True))
    whole.world.has_not_met("webauthn_credentials")
    return lambda: browser.call("webauthn/verify", {"credential": answer})


def face_start(whole, browser):
    browser.person.has_face()
    whole.world.passes(seconds=60)
    whole.arrives(browser)
    assert browser.call("totp/verify", {"code": browser.person.code()}).status_code == 200
    return browser.starts_face


def last_frames(whole, browser):
    face_start(whole, browser)
    return plays(browser)


def plays(browser):
    assert browser.starts_face().status_code == 200
    frames = [frame.jpeg for frame in shows("go", "done:alice")]
    return lambda: browser.sends_frames(frames)


def token(whole, browser):
    last_frames(whole, browser)
    code = code_in(plays(browser)().get_json())
    whole.world.has_not_met("result_codes")
    return lambda: whole.redeem(code)


CALLS = {
    "totp": Call(totp, "facestep-factor-secret", before={"attempts"}, half={"attempts"}),
    "recovery": Call(recovery, "facestep-mac", before={"attempts"}, half={"attempts"}),
    "webauthn": Call(webauthn, "facestep-mac", before={"attempts"}, half={"attempts", "ceremonies"}, anew=True),
    "face_start": Call(face_start, "facestep-ceremony", before={"attempts"}, half={"attempts"}),
    "last_frames": Call(last_frames, "facestep-reference", before=set(), half={"ceremonies", "seen_frames"}, anew=True),
    "token": Call(
        token, "facestep-mac", before={"seen_jti", "result_codes"}, half={"seen_jti", "result_codes"}, anew=True
    ),
}
ROUTES = {
    "totp": "api.totp.verify",
    "recovery": "api.recovery.verify",
    "webauthn": "api.webauthn.verify",
    "face_start": "api.face.start",
    "last_frames": "api.face.frames",
    "token": "provider.token",
}
MOMENTS = {"before": False, "midway": True}


@dataclass
class Met:
    """A call that met a fault: what was answered and written, and what came of the same call after it."""

    name: str
    fault: str
    midway: bool
    answer: Any
    before: dict[str, list[Any]]
    after: dict[str, list[Any]]
    entries: list[AuditEntryView]
    person: Person
    view: CeremonyView | None
    again: Any
    anew: Any

    @property
    def call(self) -> Call:
        return CALLS[self.name]

    @property
    def may_have_changed(self) -> set[str]:
        if self.midway:
            return self.call.half
        return set() if self.fault == LOCKED else self.call.before


def meet(folder, vault, name, fault, *, midway) -> Met:
    world = Outages(folder, vault)
    whole = open_whole(world)
    call, browser = CALLS[name], whole.browser()
    send = call.make(whole, browser)
    before = world.rows()
    world.fails(fault, on=call.midway if midway else None)
    answer = send()
    world.recovers()
    after = world.rows()
    entries = world.audit.entries(limit=1000)[len(before["audit_entries"]) :]
    world.audit.verify()
    view = browser.person.view() if name != "token" else None
    again = send()
    anew = again if again.status_code == 200 and "error" not in again.get_json() else starts_anew(whole, browser, name)
    world.database.close()
    return Met(name, fault, midway, answer, before, after, entries, browser.person, view, again, anew)


def starts_anew(whole, browser, name):
    """Do what the page, or the person, does when the challenge or the code is used up."""
    if name == "webauthn":
        return answers_with_key(whole, browser)()
    if name == "token":
        whole.world.passes(seconds=60)
        whole.arrives(browser)
        browser.call("totp/verify", {"code": browser.person.code()})
    answer = plays(browser)()
    return whole.redeem(code_in(answer.get_json())) if name == "token" else answer


@pytest.fixture(
    scope="module",
    params=[(name, fault, moment) for name in CALLS for fault in CODES for moment in MOMENTS],
    ids="-".join,
)
def met(request, tmp_path_factory):
    name, fault, moment = request.param
    with pytest.MonkeyPatch.context() as patch, FakeVault().running() as vault:
        hash_cheaply(patch)
        return meet(tmp_path_factory.mktemp("world"), vault, name, fault, midway=MOMENTS[moment])


def test_the_outside_learns_one_code_and_one_sentence(met):
    assert error_of(met.answer) == (503, CODES[met.fault])
    assert met.answer.get_json()["message"] == PUBLIC[CODES[met.fault]].message
    assert "Set-Cookie" not in met.answer.headers


def test_nothing_is_accepted_and_nothing_half_written(met):
    changed = {table for table, rows in met.after.items() if rows != met.before[table]}
    assert changed - {"audit_entries"} == met.may_have_changed
    grown = {table for table, rows in met.after.items() if len(rows) != len(met.before[table])}
    assert grown <= {"attempts", "seen_frames", "seen_jti", "audit_entries"}  # above all no result code
    if met.view is not None:
        at_face = met.name in {"face_start", "last_frames"}
        assert (met.view.stage, met.view.amr) == ((Stage.FACE, ("otp",)) if at_face else (Stage.POSSESSION, ()))


def test_the_audit_log_says_what_failed_and_why(met):
    if met.fault == LOCKED:  # the log lies in the database that is locked; the service's own log has the error
        assert met.entries == []
        return
    (entry,) = met.entries
    assert entry.event == "request_failed"
    assert (entry.details["code"], entry.details["call"]) == (CODES[met.fault], ROUTES[met.name])
    assert entry.issuer == met.person.owner.issuer
    if met.view is not None:  # whose code it was is known once it was redeemed
        assert (entry.subject, entry.ceremony_id) == (met.person.owner.subject, met.view.id)
        assert entry.details["stage"] == met.view.stage.value


def test_the_login_goes_on_when_the_fault_is_gone(met):
    assert met.anew.status_code == 200
    assert {"next", "step", "redirect", "id_token"} & set(met.anew.get_json())


def test_only_what_was_used_up_has_to_be_asked_for_again(met):
    used_up = met.call.anew and bool(met.may_have_changed - {"attempts"})
    assert (met.again is not met.anew) == used_up


@pytest.fixture
def whole(tmp_path, monkeypatch):
    hash_cheaply(monkeypatch)
    with FakeVault().running() as vault:
        world = Outages(tmp_path, vault)
        yield open_whole(world)
        world.database.close()


def cannot_write(monkeypatch, world, event):
    """Let the database fail exactly where this entry is written, inside the transaction of what it tells."""
    append = world.audit.append

    def failing(name, **entry):
        if name == event:
            raise ServiceError("store_unavailable", "disk full")
        append(name, **entry)

    monkeypatch.setattr(world.audit, "append", failing)


@pytest.mark.parametrize("name", ["totp", "recovery", "webauthn", "last_frames"])
def test_an_acceptance_that_cannot_be_written_down_did_not_happen(whole, monkeypatch, name):
    world, browser = whole.world, whole.browser()
    send = CALLS[name].make(whole, browser)
    before, view = world.rows(), browser.person.view()
    with monkeypatch.context() as patch:
        cannot_write(patch, world, "factor_accepted")
        assert error_of(send()) == (503, "store_unavailable")
    changed = {table for table, rows in world.rows().items() if rows != before[table]}
    assert changed == CALLS[name].half  # the count and the challenge, which were used up before
    assert (browser.person.view().stage, browser.person.view().amr) == (view.stage, view.amr)
    again = send()
    if CALLS[name].anew:
        again = starts_anew(whole, browser, name)
    assert {"next", "redirect"} & set(again.get_json())


def test_a_result_that_cannot_be_written_down_is_not_handed_out_but_waits(whole, monkeypatch):
    world, browser = whole.world, whole.browser()
    send, codes = last_frames(whole, browser), world.rows()["result_codes"]  # that of the enrolment
    with monkeypatch.context() as patch:
        cannot_write(patch, world, "result_issued")
        assert error_of(send()) == (503, "store_unavailable")
    assert browser.person.view().stage is Stage.DONE
    assert world.rows()["result_codes"] == codes
    assert code_in(browser.call("finish").get_json())


def test_a_code_whose_use_cannot_be_written_down_gives_no_token(whole, monkeypatch):
    send = token(whole, whole.browser())
    with monkeypatch.context() as patch:
        cannot_write(patch, whole.world, "result_redeemed")
        assert error_of(send()) == (503, "store_unavailable")
    assert (send().status_code, send().get_json()["error"]) == (400, "invalid_grant")
