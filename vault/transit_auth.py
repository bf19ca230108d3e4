"""Who we are to the vault: a token from a file, an AppRole, or a Kubernetes service account; and keeping it alive.

Rules:
 * A token is renewed when a third of its life is left, and replaced by a new login when it cannot be renewed any more.
 * When the vault refuses a token, the file is read or the login is done once more, at most once in RELOGIN_S: an agent
   may have written a new one. A second refusal is the answer.
 * No token, secret id or service account token is printed, logged or put into an error.

Not here: HTTP (transit_http.py), what a token may do (policies/).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from vault.interface import VaultDenied, VaultError, VaultUnavailable
from vault.token_file import as_token, read_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vault.transit_http import VaultHttp

RELOGIN_S: Final = 5.0  # between two logins that a refusal caused: a wrong policy must not become a flood of logins
_RENEW_AT: Final = 2 / 3  # of a token's life, as Vault's own agent does
_SPREAD: Final = 0.1  # of the wait, so that workers do not renew together
_LEAST_S: Final = 1.0  # never renew more often
_AGAIN_S: Final = 5.0  # after a renewal that found nobody
_LOOK_S: Final = 30.0  # the longest sleep of the thread, so that a token that another thread took is kept too
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """What the vault gave. `lease_s` is None when it does not end or is not known."""

    value: str
    lease_s: float | None
    renewable: bool

    def __repr__(self) -> str:
        return f"Token(<hidden>, lease_s={self.lease_s})"


class Login(Protocol):
    """A way to get a token."""

    def login(self, http: VaultHttp) -> Token:
        """Return a token. Raises VaultDenied, VaultUnavailable."""


@dataclass(frozen=True, slots=True, repr=False)
class FixedToken:
    """A token that somebody holds already: an admin at a command."""

    token: str

    def login(self, _: VaultHttp) -> Token:
        """Return it."""
        return Token(as_token(self.token, of="the given value"), None, renewable=False)


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file that holds a token; an agent may replace it at any time."""

    path: Path

    def login(self, _: VaultHttp) -> Token:
        """Return what the file holds now. How long it lives shows with its first renewal."""
        return Token(read_token(self.path), None, renewable=True)


@dataclass(frozen=True, slots=True)
class AppRole:
    """A role id, and a secret id in a file."""

    role_id: str
    secret_id_file: Path
    mount: str = "approle"

    def login(self, http: VaultHttp) -> Token:
        """Log in."""
        body = {"role_id": self.role_id, "secret_id": read_token(self.secret_id_file, of="secret id")}
        return _login(http, f"auth/{self.mount}/login", body, action="login by AppRole")


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """The token that Kubernetes puts into our pod; it is read at each login, since Kubernetes replaces it."""

    role: str
    service_account_file: Path
    mount: str = "kubernetes"

    def login(self, http: VaultHttp) -> Token:
        """Log in."""
        jwt = read_token(self.service_account_file, of="service account token", by_others=True)
        body = {"role": self.role, "jwt": jwt}
        return _login(http, f"auth/{self.mount}/login", body, action="login by Kubernetes service account")


def _login(http: VaultHttp, path: str, body: dict[str, str], *, action: str) -> Token:
    try:
        return _token_of(http.call("POST", path, body, token=None, action=action, once=False), http=http)
    except (VaultUnavailable, VaultDenied):
        raise
    except VaultError as exc:  # 400: a role, secret id or service account that is not known or not good any more
        raise VaultDenied(
            f"{action}: {http.server.url} does not let us in; look at vault_auth and its settings"
        ) from exc


def _token_of(answer: dict[str, Any], *, http: VaultHttp) -> Token:
    try:
        auth = answer["auth"]
        lease_s = float(auth["lease_duration"])
        value = as_token(auth["client_token"], of="the vault's answer")
        return Token(value, lease_s if lease_s > 0 else None, renewable=bool(auth["renewable"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise VaultError(f"login: the answer of {http.server.url} is not understood") from exc


class Lease:
    """The token in use. Safe to use from many threads: while one renews, the others go on with what there is."""

    def __init__(self, http: VaultHttp, login: Login, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._http, self._login, self._clock = http, login, clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at: float | None = None
        self._asked_again_at: float | None = None
        self._stop = threading.Event()

    def __repr__(self) -> str:
        return f"Lease({type(self._login).__name__})"

    def current(self) -> str:
        """Return a token that should work now."""
        token = self._token
        if token is None:
            with self._lock:
                token = self._token or self._take(self._login.login(self._http))
        elif self._is_due() and self._lock.acquire(blocking=False):
            try:
                token = self._renew(token)
            except VaultError as exc:  # it may live a while yet; the call itself will show
                self._renew_at = self._clock() + _AGAIN_S
                _log.warning("the vault token could not be renewed: %s", exc)
            finally:
                self._lock.release()
        return token.value

    def after_refusal(self, refused: str) -> str | None:
        """Return another token than the one that was refused, or None when there is no other."""
        with self._lock:
            if self._token is not None and self._token.value != refused:
                return self._token.value  # another thread was quicker
            now = self._clock()
            if self._asked_again_at is not None and now - self._asked_again_at < RELOGIN_S:
                return None
            self._asked_again_at = now
            found = self._login.login(self._http)
            return None if found.value == refused else self._take(found).value

    def keep(self) -> None:
        """Renew in a thread of our own from now on, also while nobody asks; it ends with the process or `close`."""
        threading.Thread(target=self._keep, name="vault lease", daemon=True).start()

    def close(self) -> None:
        """End that thread."""
        self._stop.set()

    def _keep(self) -> None:
        wait_s = 0.0  # a token of a file says how long it lives when it is renewed first
        while not self._stop.wait(wait_s):
            try:
                self.current()
                with self._lock:
                    if self._token is not None and self._renew_at is None and self._token.renewable:
                        self._renew(self._token)
            except VaultError as exc:
                _log.warning("the vault token could not be renewed: %s", exc)
            due = self._renew_at
            wait_s = _LOOK_S if due is None else min(max(_LEAST_S, due - self._clock()), _LOOK_S)

    def _is_due(self) -> bool:
        return self._renew_at is not None and self._clock() >= self._renew_at

    def _renew(self, token: Token) -> Token:
        """Renew, or log in anew when that does not carry on. The caller holds the lock."""
        renewed = self._renewed(token)
        ends = renewed is None or (token.lease_s is not None and (renewed.lease_s or 0) < token.lease_s / 2)
        if ends and token.lease_s is not None:
            found = self._login.login(self._http)
            if found.value != token.value:
                return self._take(found)
            _log.warning("the vault token ends soon and cannot be renewed; write a new one into its file")
        return self._take(renewed or replace(token, renewable=False), whole_s=token.lease_s)

    def _renewed(self, token: Token) -> Token | None:
        """Return the token with a new lease, or None when the vault gives none."""
        if not token.renewable:
            return None
        try:
            answer = self._http.call(
                "POST", "auth/token/renew-self", {}, token=token.value, action="renew the token", once=False
            )
            return _token_of(answer, http=self._http)
        except VaultUnavailable:
            raise
        except VaultError as exc:
            _log.info("the vault token is not renewed: %s", exc)
            return None

    def _take(self, token: Token, *, whole_s: float | None = None) -> Token:
        """Use `token` from now on; `whole_s` is the lease it had when it was new, for comparison later."""
        spread = 1 - random.uniform(0, _SPREAD)  # noqa: S311  (spreads renewals, guards nothing)
        life_s = token.lease_s
        self._renew_at = None if life_s is None else self._clock() + max(_LEAST_S, life_s * _RENEW_AT * spread)
        self._token = replace(token, lease_s=max(life_s, whole_s) if life_s and whole_s else life_s)
        return self._token
