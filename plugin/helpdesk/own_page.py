"""What a person's own page is made of; built in wiring.py.

Rules:
 * Whoever has a realm that is registered here can sign in; a realm is named by its issuer, or by its name where only
   one has it.
 * What cannot be undone asks for a face that was seen at most five minutes ago.
 * "That was not me" takes away what a recovery has bound within the cool-down, and works without a helpdesk too; then
   it cannot end sessions at the identity provider, and says so.

Not here: the page (pages/me.py), the words of the history (audit/story.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.store.instants import from_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plugin.helpdesk.sessions import Sessions
    from plugin.helpdesk.stopping import Stopping

FRESH: Final = timedelta(minutes=5)


class SignedIn(Protocol):
    """Who has signed in at the realm (doors/realm_login.py)."""

    @property
    def owner(self) -> Subject:
        """Return who."""

    @property
    def seen_at(self) -> datetime:
        """Return when the realm saw the face step."""

    @property
    def name(self) -> str:
        """Return what the realm calls them."""


class Login(Protocol):
    """How people prove at one realm who they are."""

    def begin(self, token: str, *, anew: bool = False) -> str:
        """Return where to send the browser that holds `token`."""

    def began(self, token: str, *, state: str) -> bool:
        """Tell whether a sign-in with this state began here."""

    def signed_in(self, token: str, *, state: str, code: str, now: datetime) -> SignedIn:
        """Return who has signed in. Raises ServiceError("me_login_refused")."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in to their own page."""

    owner: Subject
    name: str
    seen_at: datetime
    ends_at: datetime

    def is_fresh(self, *, now: datetime) -> bool:
        """Tell whether the face was seen a moment ago."""
        return now - self.seen_at <= FRESH


@dataclass(frozen=True, slots=True, repr=False)
class OwnPage:
    """Everything that the page needs; `realms` asks for the registered ones anew."""

    sessions: Sessions
    stopping: Stopping
    realms: Callable[[], list[str]]
    login: Callable[[str], Login]

    def realm(self, named: str) -> str | None:
        """Return the issuer that is meant: the only one, one by its address, or by its name if only one has it."""
        known = self.realms()
        fitting = [one for one in known if named in {"", one, one.rpartition("/")[2]}]
        return fitting[0] if len(fitting) == 1 else None

    def purge(self, *, now: datetime) -> int:
        """Delete sessions and links that are over; return how many rows went."""
        return self.sessions.purge(now=now) + self.stopping.purge(now=now)

    def begin(self, visitor: SignedIn, *, now: datetime) -> str:
        """Return the token of a new session."""
        seen_ms = int(visitor.seen_at.timestamp() * 1000)
        return self.sessions.begin(visitor.owner, name=visitor.name, now=now, seen_ms=seen_ms)

    def finish(self, token: str, *, state: str, code: str, now: datetime) -> SignedIn:
        """Return who has signed in, at the realm where it began. Raises ServiceError("me_login_refused")."""
        for issuer in self.realms():
            login = self.login(issuer)
            if login.began(token, state=state):
                return login.signed_in(token, state=state, code=code, now=now)
        raise ServiceError("me_login_refused", "state")

    def visitor(self, token: str, *, now: datetime) -> Visitor:
        """Return who is signed in in this browser. Raises ServiceError("me_login")."""
        row = self.sessions.row(token, now=now) if token else None
        if row is None:
            raise ServiceError("me_login")
        return Visitor(Subject(row.issuer, row.subject), row.name, from_ms(row.seen_ms), from_ms(row.expires_ms))
