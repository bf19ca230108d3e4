"""`/metrics` for Prometheus: how often what happened, and what waits. Off unless a token is set.

Rules:
 * Numbers and words of our own; nobody's id, name, address or case.
 * All of it comes from the database, so every worker of every host gives the same answer (audit/tally.py).
 * Who does not bring the token sees what they would see if there were no metrics at all. Behind a reverse proxy every
   request comes from loopback, so an address would prove nothing.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, current_app, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import func, select

from plugin.audit.tally import Tally
from plugin.errors import ServiceError, SettingsError
from plugin.store.helpdesk_tables import HelpdeskCase, HelpdeskPass, HelpdeskSession
from plugin.store.instants import to_ms
from plugin.store.letters import HelpdeskLetter
from plugin.store.tables import AuditPosition
from plugin.web.context import now
from vault.interface import VaultDenied
from vault.token_file import read_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from prometheus_client import Metric

    from plugin.store.database import Database

bp: Final = Blueprint("metrics", __name__)
SHORTEST: Final = 32
"""Characters of a token; `openssl rand -hex 32` makes 64."""
_WAITING: Final = ("open", "waiting")


class Meter:
    """Collects when it is asked; prometheus_client writes it down."""

    def __init__(self, database: Database, *, token: str, receivers: Sequence[str]) -> None:
        self.token = token
        self._database = database
        self._receivers = receivers
        self._tally = Tally(database)

    def text(self, *, now_ms: int) -> bytes:
        """Return the page. Raises ServiceError if the database is away."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collected([*self._counters(), *self._gauges(now_ms)]))
        return generate_latest(registry)

    def _counters(self) -> Iterator[Metric]:
        totals = self._tally.read()
        events = CounterMetricFamily("facestep_events", "Entries of the audit log.", labels=["event"])
        for event, count in sorted(totals.events.items()):
            events.add_metric([event], count)
        alarms = CounterMetricFamily("facestep_helpdesk_alarms", "Alarms of the helpdesk.", labels=["reason"])
        refusals = CounterMetricFamily("facestep_helpdesk_refusals", "What agents were refused.", labels=["code"])
        families = {"helpdesk_alarm": alarms, "helpdesk_refused": refusals}
        for (event, word), count in sorted(totals.reasons.items()):
            families[event].add_metric([word], count)
        unsent = GaugeMetricFamily(
            "facestep_audit_unsent", "Entries that a receiver of the audit log lacks.", labels=["receiver"]
        )
        for number, sent in enumerate(self._sent(), start=1):
            unsent.add_metric([str(number)], max(0, totals.seq - sent))
        yield from (events, alarms, refusals, unsent)

    def _sent(self) -> list[int]:
        with self._database.reading() as session:
            rows = [session.get(AuditPosition, (receiver, "service")) for receiver in self._receivers]
        return [row.sent_seq if row is not None else 0 for row in rows]

    def _gauges(self, now_ms: int) -> Iterator[Metric]:
        live = HelpdeskCase.expires_ms > now_ms
        by_state = select(HelpdeskCase.state, func.count()).where(live, HelpdeskCase.state.in_(_WAITING))
        with self._database.reading() as session:
            states = {row[0]: row[1] for row in session.execute(by_state.group_by(HelpdeskCase.state))}
            passes = _count(session, HelpdeskPass, HelpdeskPass.expires_ms > now_ms, HelpdeskPass.used_ms.is_(None))
            agents = _count(session, HelpdeskSession, HelpdeskSession.expires_ms > now_ms)
            letters = _count(session, HelpdeskLetter)
        cases = GaugeMetricFamily("facestep_helpdesk_cases", "Cases that are not over.", labels=["state"])
        for state in _WAITING:
            cases.add_metric([state], states.get(state, 0))
        yield cases
        yield GaugeMetricFamily("facestep_helpdesk_passes", "Passes that could be used now.", value=passes)
        yield GaugeMetricFamily("facestep_helpdesk_agents", "Sessions of agents.", value=agents)
        yield GaugeMetricFamily("facestep_letters", "Letters that wait for the mail server.", value=letters)


class _Collected:
    """What prometheus_client calls a collector."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        """Return what was collected."""
        return self._families


def read_metrics_token(path: Path) -> str:
    """Return the token of the file. Raises SettingsError."""
    try:
        token = read_token(path, of="metrics token")
    except VaultDenied as exc:
        raise SettingsError(f"metrics_token_file: {exc}") from exc
    if len(token) < SHORTEST:
        raise SettingsError(f"metrics_token_file={path} must hold at least {SHORTEST} characters: openssl rand -hex 32")
    return token


@bp.record
def _attach(state: object) -> None:
    app: Any = getattr(state, "app")  # noqa: B009  (BlueprintSetupState is untyped here)
    parts = app.extensions["facestep"]
    settings = parts.settings
    token = read_metrics_token(settings.metrics_token_file)
    receivers = settings.audit_forward_to.split()
    app.extensions["facestep_meter"] = Meter(parts.database, token=token, receivers=receivers)


@bp.get("/metrics")
def show() -> Response:
    """Answer the scraper."""
    meter: Meter = current_app.extensions["facestep_meter"]
    shown = request.headers.getlist("Authorization")
    if len(shown) != 1 or not hmac.compare_digest(shown[0].encode(), f"Bearer {meter.token}".encode()):
        raise ServiceError("not_found")
    response = Response(meter.text(now_ms=to_ms(now())), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


def _count(session: Any, table: Any, *conditions: Any) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
