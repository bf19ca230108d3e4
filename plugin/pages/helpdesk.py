"""The helpdesk's pages: find, case, proofs, queue, and the page with which a person stops a recovery.

Rules:
 * Who acts is worked out anew for every request: session, then roles from the directory.
 * Forms are sent to us by our own pages alone (web/own_forms.py).
 * What agents typed and what the directory says is text; Jinja escapes it, and no script runs here.

Not here: what is allowed (helpdesk/desk.py), that the pages exist only where a realm is named (app.py).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, redirect, render_template, request, url_for

from plugin.errors import ServiceError, public
from plugin.helpdesk.actions import KINDS
from plugin.helpdesk.break_glass import PASS_LIFE
from plugin.helpdesk.fields import field, target
from plugin.helpdesk.record import record_of
from plugin.helpdesk.standing import addable, standing_of
from plugin.helpdesk.targets import targets_of
from plugin.helpdesk.types import AGENT_ROLE, APPROVER_ROLE, BREAK_GLASS_ROLE, UNDER_WAY, Action, CaseState
from plugin.pages import proof_links
from plugin.pages.desk_request import (
    ASKED_COOKIE,
    BEGUN_COOKIE,
    BEGUN_S,
    SESSION_COOKIE,
    end_session,
    forget,
    signed_in,
)
from plugin.pages.desk_request import acting_agent as _agent
from plugin.pages.desk_request import the_desk as _desk
from plugin.pages.desk_request import to_case as _to_case
from plugin.pages.form_errors import sentence
from plugin.web.context import now, services
from plugin.web.own_forms import host_cookie, own_forms_only, set_host_cookie

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from plugin.helpdesk.types import Agent, CaseView

bp: Final = Blueprint("helpdesk", __name__, url_prefix="/helpdesk")
bp.register_blueprint(proof_links.bp)
bp.before_request(own_forms_only)
_SERVER_ERROR: Final = 500


@bp.errorhandler(ServiceError)
def tell(error: ServiceError) -> AnyResponse | tuple[str, int]:
    """Tell an agent what to do; faults of ours look as everywhere (web/answers.py)."""
    if request.endpoint == "helpdesk.callback" and host_cookie(ASKED_COOKIE):
        return proof_links.tell(error)
    known = public(error.code)
    if known.status >= _SERVER_ERROR and error.code != "mail_failed":
        raise error
    if error.code == "helpdesk_login" and request.method == "GET":
        return render_template("helpdesk/sign_in.html"), known.status
    return render_template("helpdesk/notice.html", message=sentence(error), code=error.code), known.status


@bp.get("")
def home() -> str:
    """Show the form to open a case, the agent's cases, and what waits for a decision."""
    agent = _agent()
    desk = _desk().desk
    lists = {"mine": desk.mine, "queue": desk.queue, "emergencies": desk.emergencies}
    return _page("home.html", agent, **{name: listed(agent, now=now()) for name, listed in lists.items()})


@bp.get("/login")
def login() -> AnyResponse:
    """Send the agent to the realm."""
    token = secrets.token_urlsafe(32)
    response = redirect(_desk().login.begin(token), code=303)
    forget(response, ASKED_COOKIE)
    set_host_cookie(response, BEGUN_COOKIE, token, max_age=BEGUN_S)
    return response


@bp.get("/callback")
def callback() -> AnyResponse:
    """Take the agent back from the realm, or a manager; staff gets a session, others learn that they are none.

    The session that this browser held before is over: whoever planted it is not signed in with this person.
    """
    state, code = request.args.get("state", ""), request.args.get("code", "")
    if not code or len(code) > 2048:  # noqa: PLR2004  (longer than Keycloak's longest)
        raise ServiceError("helpdesk_login_refused", "no_code")
    owner = _desk().login.finish(host_cookie(BEGUN_COOKIE), state=state, code=code, now=now())
    end_session()
    if asked := host_cookie(ASKED_COOKIE):
        return proof_links.arrive(asked, owner)
    person = _desk().directory.person(owner.subject)
    if person is None or not person.enabled or not person.is_staff:
        raise ServiceError("helpdesk_role")
    token = _desk().sessions.begin(owner, name=person.name, now=now())
    return signed_in(redirect(url_for("helpdesk.home"), code=303), token)


@bp.post("/logout")
def logout() -> AnyResponse:
    """End the session here."""
    end_session()
    response = redirect(url_for("helpdesk.home"), code=303)
    forget(response, SESSION_COOKIE)
    return response


@bp.post("/cases")
def open_case() -> AnyResponse:
    """Open a case about the person with exactly this user name."""
    agent = _agent()
    case = _desk().desk.open(agent, _field("name"), ticket=_field("ticket"), reason=_field("reason"), now=now())
    return _to_case(case.id)


@bp.post("/suspend")
def suspend() -> AnyResponse:
    """Suspend somebody in danger, in one step, from the form that opens a case."""
    agent = _agent()
    case = _desk().desk.suspend(agent, _field("name"), ticket=_field("ticket"), reason=_field("reason"), now=now())
    return _to_case(case.id)


@bp.get("/cases/<case_id>")
def show_case(case_id: str) -> str:
    """Show a case: who, why, what is proven and what is missing; the person's factors only while it is under way."""
    agent = _agent()
    case = _desk().desk.look(agent, case_id, now=now())
    database, over = services().database, now() >= case.expires_at
    under_way = not over and case.state in UNDER_WAY
    factors = {one.id: one for one in targets_of(case.owner, database=database)} if under_way else {}
    offers = _desk().desk.offers(case, now=now()) if case.state == "open" and not over else ()
    return _page(
        "case.html",
        agent,
        case=case,
        record=record_of(case.owner, database=database, now=now()) if under_way else None,
        over=over,
        standing=standing_of(case, _desk(), now=now()),
        addable=addable(case, _desk(), now=now()),
        offers=offers,
        factor=factors.get(case.target),
    )


@bp.post("/cases/<case_id>/proofs")
def note_proof(case_id: str) -> AnyResponse:
    """Note a proof."""
    _desk().desk.note(_agent(), case_id, request.form.get("proof", ""), now=now())
    return _to_case(case_id)


@bp.post("/cases/<case_id>/face-check")
def ask_face(case_id: str) -> AnyResponse:
    """Send the person a link for the face check."""
    _desk().face_checks.ask(_agent(), case_id, now=now())
    return _to_case(case_id)


@bp.post("/cases/<case_id>/manager")
def ask_manager(case_id: str) -> AnyResponse:
    """Ask the manager on record."""
    _desk().managers.ask(_agent(), case_id, now=now())
    return _to_case(case_id)


@bp.post("/cases/<case_id>/ask")
def ask(case_id: str) -> AnyResponse:
    """Ask for an action; the form's one field holds the action and, after a blank, what it is about."""
    action, _, about = request.form.get("action", Action.PASS.value).partition(" ")
    if action not in set(Action) or KINDS[Action(action)].emergency:
        raise ServiceError("bad_request", "action")
    case = _desk().desk.ask(_agent(), case_id, action=Action(action), target=target(about), now=now())
    return _to_case(case_id) if _is_there(case) else redirect(url_for("helpdesk.home"), code=303)


@bp.post("/break-glass")
def open_and_break_glass() -> AnyResponse:
    """Open a case in an emergency, about the person with exactly this user name, and ask to break glass on it."""
    agent = _agent()
    named: dict[str, Any] = {name: _field(name) for name in ("name", "ticket", "reason")}
    _confirmed()
    case = _desk().desk.open(agent, **named, only=Action.BREAK_GLASS, now=now())
    return _to_case(_desk().desk.ask(agent, case.id, action=Action.BREAK_GLASS, now=now()).id)


@bp.post("/cases/<case_id>/break-glass")
def break_glass(case_id: str) -> AnyResponse:
    """Ask to break glass on a case."""
    agent = _agent()
    _confirmed()
    return _to_case(_desk().desk.ask(agent, case_id, action=Action.BREAK_GLASS, now=now()).id)


@bp.post("/cases/<case_id>/stop")
def stop_case(case_id: str) -> AnyResponse:
    """Stop a case on which glass is being broken, or was."""
    _desk().desk.stop(_agent(), case_id, now=now())
    return _to_case(case_id)


@bp.post("/cases/<case_id>/show")
def show_pass(case_id: str) -> str:
    """Show the pass to the agent who asked for it, in this answer and in no other."""
    agent = _agent()
    code, case = _desk().desk.show(agent, case_id, now=now())
    return _page("shown.html", agent, case=case, code=code, until=now() + PASS_LIFE)


@bp.post("/cases/<case_id>/decide")
def decide(case_id: str) -> AnyResponse:
    """Agree or refuse, as the second person."""
    answer = request.form.get("answer", "")
    if answer not in {"agree", "refuse"}:
        raise ServiceError("bad_request", "answer")
    case = _desk().desk.decide(_agent(), case_id, agree=answer == "agree", now=now())
    return _to_case(case_id) if _is_there(case) else redirect(url_for("helpdesk.home"), code=303)


@bp.post("/cases/<case_id>/close")
def close(case_id: str) -> AnyResponse:
    """End a case without a pass."""
    _desk().desk.close(_agent(), case_id, now=now())
    return _to_case(case_id)


@bp.get("/stop/<token>")
def stop_page(token: str) -> str | tuple[str, int]:
    """Ask whether to stop; looking changes nothing, since mail programs look at links."""
    if not _desk().aftermath.can_freeze(token, now=now()):
        raise ServiceError("ceremony_refused", "no_such_link")
    return render_template("helpdesk/stop.html", stopped=False)


@bp.post("/stop/<token>")
def stop(token: str) -> str:
    """Stop the recovery."""
    try:
        _desk().aftermath.freeze(token, now=now())
    except ServiceError as exc:
        if exc.code not in {"case_unknown", "case_moved"}:
            raise  # not stopped, and worth another try: no word that would end it
        raise ServiceError("ceremony_refused", exc.code) from exc
    return render_template("helpdesk/stop.html", stopped=True)


def _field(name: str) -> str:
    """Return a required field of the form."""
    return field(name, request.form.get(name, ""))


def _confirmed() -> None:
    """Refuse a form on which the sentence about breaking glass was not ticked."""
    if request.form.get("confirm") != "yes":
        raise ServiceError("not_confirmed")


def _is_there(case: CaseView) -> bool:
    """Tell whether the case is still there: an erasure takes it along."""
    return not (case.action is Action.ERASE and case.state is CaseState.DONE)


def _page(name: str, agent: Agent, **more: Any) -> str:
    may = {"ask": AGENT_ROLE, "decide": APPROVER_ROLE, "break_glass": BREAK_GLASS_ROLE}
    return render_template(
        f"helpdesk/{name}", agent=agent, may={deed: agent.has(role) for deed, role in may.items()}, **more
    )
