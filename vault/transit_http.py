"""One HTTP call to Vault or OpenBao: address, TLS, namespace, retries, and one error of ours for each way to fail.

Rules:
 * The one file that speaks hvac and requests. Only errors of interface.py leave it.
 * A call ends within `timeout_s`, retries included. What may be done twice is tried again, after a random wait so that
   many workers do not come back together; what may not (a new key version) is asked once.
 * The token goes to the configured address only: no redirect is followed, no proxy or .netrc is read from the
   environment. It is in no message: what the server says is cleaned of it, and what a library says is not repeated.

Not here: where the token comes from (transit_auth.py), what is asked (transit.py).
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import hvac.adapters
import requests

from vault.circuit import Circuit
from vault.interface import VaultDenied, VaultError, VaultUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_TRIES: Final = 3
_WAIT_S: Final = (0.02, 0.1)  # times the number of the try; a restarting proxy or a leader election is over by then
_REASON_CHARS: Final = 200
_SHORTEST_SECRET: Final = 6  # shorter texts are words of the API, and no token, secret id or sealed value is
_DENIED: Final = frozenset({401, 403})
_INTERNAL: Final = 500
_AWAY: Final = {  # what Vault's API says about each: developer.hashicorp.com/vault/api-docs#http-status-codes
    412: "behind the primary",
    429: "too busy, or a standby",
    472: "a disaster recovery standby",
    473: "a performance standby",
    _INTERNAL: "InternalServerError",
    501: "VaultNotInitialized",
    502: "BadGateway",
    503: "VaultDown",
    504: "GatewayTimeout",
}


@dataclass(frozen=True, slots=True)
class VaultServer:
    """Where the server is and how it is recognised.

    Attributes:
        url: base URL.
        timeout_s: how long one call may take in all.
        namespace: Vault Enterprise or OpenBao namespace; empty for none.
        ca_file: certificates that may have signed the server's; None for those of the system.
        client_cert: certificate and key file that the server asks for, or None.
    """

    url: str
    timeout_s: float = 3.0
    namespace: str = ""
    ca_file: Path | None = None
    client_cert: tuple[Path, Path] | None = None


class VaultRefused(VaultError):  # noqa: N818
    """The server answered that the question is wrong. `status` and `reason` are its own, `data` what came with it."""

    def __init__(self, message: str, *, status: int, reason: str, data: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.data = data


class VaultFaulty(VaultUnavailable):
    """The server answered, past its policies, that it could not do it (500)."""


class VaultHttp:
    """Asks one server; safe to use from many threads."""

    def __init__(
        self,
        server: VaultServer,
        *,
        circuit: Circuit | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(server.ca_file) if server.ca_file else True
        if server.client_cert:
            session.cert = (str(server.client_cert[0]), str(server.client_cert[1]))
        self._adapter = hvac.adapters.RawAdapter(
            base_uri=server.url, session=session, allow_redirects=False, namespace=server.namespace or None
        )
        self.server = server
        self.timeout_s = server.timeout_s
        self._circuit = circuit or Circuit()
        self._clock, self._sleep = clock, sleep

    def __repr__(self) -> str:
        return f"VaultHttp({self.server.url!r})"

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, token: str | None, action: str, once: bool
    ) -> dict[str, Any]:
        """Return the JSON object of the answer, empty when there is none.

        Args:
            method: GET, POST, PUT, DELETE or LIST.
            path: below /v1/.
            body: what is sent as JSON.
            token: who asks; None for a login.
            action: our word for it, for messages.
            once: never try again, since it would be done twice.
        """
        deadline = self._clock() + self.timeout_s
        self._circuit.admit()
        for number in range(1, _TRIES + 1):
            try:
                answer = self._ask(method, path, body, token=token, action=action, left_s=deadline - self._clock())
            except VaultUnavailable:
                wait_s = number * random.uniform(*_WAIT_S)  # noqa: S311  (spreads retries, guards nothing)
                if once or number == _TRIES or self._clock() + wait_s >= deadline:
                    self._circuit.failed()
                    raise
                self._sleep(wait_s)
            except VaultError:
                self._circuit.answered()
                raise
            else:
                self._circuit.answered()
                return answer
        raise AssertionError("unreachable")

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, token: str | None, action: str, left_s: float
    ) -> dict[str, Any]:
        headers = {"X-Vault-Token": token} if token else {}
        url = self.server.url
        try:
            response = self._adapter.request(
                method, f"/v1/{path}", headers=headers, json=body, timeout=max(left_s, 0.001), raise_exception=False
            )
        except requests.exceptions.SSLError:
            advice = "look at vault_ca_file, vault_client_cert_file and the server's certificate"
            raise VaultUnavailable(f"{action}: no answer from {url} (TLS does not fit; {advice})") from None
        except (requests.exceptions.RequestException, OSError, ValueError) as exc:
            # from None: a library's message may repeat what was sent
            raise VaultUnavailable(f"{action}: no answer from {url} ({type(exc).__name__})") from None
        return _answer(response, action=action, url=url, sent=[token, body])


def _answer(response: Any, *, action: str, url: str, sent: object) -> dict[str, Any]:
    status = int(response.status_code)
    said = _json(response)
    if status in {200, 204}:
        if isinstance(said, dict) or (said is None and not response.content):
            return said or {}
        raise VaultError(f"{action}: the answer of {url} is not understood")
    reason = _reason(said, sent)
    if status in _DENIED:
        raise VaultDenied(f"{action}: {url} refused the token ({reason or status})")
    if status in _AWAY:
        kind = VaultFaulty if status == _INTERNAL else VaultUnavailable
        raise kind(f"{action}: {url} cannot serve now ({_AWAY[status]})")
    if 300 <= status < 400:  # noqa: PLR2004  (redirects, RFC 9110 15.4)
        raise VaultError(
            f"{action}: {url} sends us elsewhere, which we do not follow; set vault_url to where it serves"
        )
    advice = "run `facestep vault install`"
    raise VaultRefused(
        f"{action}: {url} is not set up for us ({reason or status}); {advice}",
        status=status,
        reason=reason,
        data=said.get("data") if isinstance(said, dict) else None,
    )


def _json(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _reason(said: Any, sent: object) -> str:
    """Return the server's words: one line, short, and without the token, login or value that it was sent."""
    errors = said.get("errors") if isinstance(said, dict) else None
    text = "; ".join(str(error) for error in errors) if isinstance(errors, list) else ""
    for secret in _texts(sent):
        text = text.replace(secret, "<hidden>")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_REASON_CHARS]


def _texts(sent: object) -> Iterator[str]:
    """Yield every text that was sent and is long enough to be worth hiding."""
    if isinstance(sent, str):
        if len(sent) >= _SHORTEST_SECRET:
            yield sent
    elif isinstance(sent, dict):
        for value in sent.values():
            yield from _texts(value)
    elif isinstance(sent, list):
        for value in sent:
            yield from _texts(value)
