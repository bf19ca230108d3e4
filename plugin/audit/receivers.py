"""Systems that are sent the log: syslog over TCP, TLS or UDP, and HTTP. Each takes a batch, or says that it is away.

Rules:
 * A batch is delivered when the receiver has confirmed it. HTTP answers 2xx. Syslog has no answer of its own: over TCP
   and TLS we say that we are done and wait until the receiver, having read everything, closes as well; a receiver that
   dies in between is noticed. UDP confirms nothing: what is lost on the way is lost.
 * A batch may arrive twice (at least once, never "at most once"); deployment, stream and number tell.
 * On the way to another network everything is encrypted; without TLS only loopback and private addresses are served.

Not here: which entries are due (outbox.py).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import SplitResult, urlsplit

import requests

from plugin.audit.formats import FORMATS, as_syslog
from plugin.errors import SettingsError
from plugin.urls import is_loopback_host, is_secure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugin.audit.formats import Record

TIMEOUT_S: Final = 10.0
_UDP_PAUSE_S: Final = 0.05  # what a refusal needs to come back on a local network
_DEFAULT_PORTS: Final = {"syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514}  # RFC 5426, 3195, 5425


class ReceiverAway(Exception):  # noqa: N818  (what happened)
    """The batch was not confirmed; it has to be sent again."""


class Receiver(Protocol):
    """Somebody who is sent the log. `name` is how his position is remembered."""

    @property
    def name(self) -> str:
        """Return the address, without secrets."""

    def send(self, batch: Sequence[Record]) -> None:
        """Deliver a batch in order. Raises ReceiverAway unless it was confirmed."""


@dataclass(frozen=True, slots=True)
class SyslogStream:
    """RFC 5424 messages over TCP or TLS, each preceded by its length (RFC 6587 3.4.1, RFC 5425 4.3)."""

    name: str
    host: str
    port: int
    form: str
    tls: bool
    ca_file: str | None = None

    def send(self, batch: Sequence[Record]) -> None:
        """Deliver over a connection of its own, and wait for the other end to close it."""
        messages = [as_syslog(record, FORMATS[self.form](record)) for record in batch]
        body = b"".join(b"%d %s" % (len(message), message) for message in messages)
        try:
            with socket.create_connection((self.host, self.port), timeout=TIMEOUT_S) as connection:
                self._deliver(connection, body)
        except OSError as exc:
            raise ReceiverAway(f"{type(exc).__name__}: {exc}") from exc

    def _deliver(self, connection: socket.socket, body: bytes) -> None:
        if self.tls:
            context = ssl.create_default_context(cafile=self.ca_file)
            with context.wrap_socket(connection, server_hostname=self.host) as secured:
                secured.sendall(body)
                secured.unwrap()  # close_notify both ways
            return
        connection.sendall(body)
        connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + TIMEOUT_S
        while connection.recv(4096):  # a reset, if it closed without having read everything, is an OSError
            if time.monotonic() > deadline:
                raise TimeoutError("the receiver does not close")


@dataclass(frozen=True, slots=True)
class SyslogDatagrams:
    """RFC 5424 messages over UDP, one a datagram (RFC 5426). Nothing is confirmed."""

    name: str
    host: str
    port: int
    form: str

    def send(self, batch: Sequence[Record]) -> None:
        """Send, and notice only what this machine or the receiver's refuses."""
        try:
            family, kind, _, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind) as datagrams:
                datagrams.connect(address)
                for record in batch:
                    datagrams.send(as_syslog(record, FORMATS[self.form](record)))
                time.sleep(_UDP_PAUSE_S)
                refused = datagrams.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError as exc:
            raise ReceiverAway(f"{type(exc).__name__}: {exc}") from exc
        if refused:
            raise ReceiverAway("the datagrams were refused")


@dataclass(frozen=True, slots=True)
class HttpReceiver:
    """One POST a batch, one record a line; any 2xx confirms it."""

    name: str
    form: str
    token: str = field(default="", repr=False)
    ca_file: str | None = None

    def send(self, batch: Sequence[Record]) -> None:
        """Deliver; redirects are refused, since they would send the token elsewhere."""
        body = "".join(FORMATS[self.form](record) + "\n" for record in batch).encode()
        kind = "application/x-ndjson" if self.form == "jsonl" else "text/plain; charset=utf-8"
        headers = {"Content-Type": kind, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.ca_file or True
            try:
                answer = session.post(
                    self.name, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False, stream=True
                )
            except requests.RequestException as exc:
                raise ReceiverAway(type(exc).__name__) from exc
            with contextlib.closing(answer):
                if not 200 <= answer.status_code < 300:  # noqa: PLR2004  (HTTP's successes)
                    raise ReceiverAway(f"HTTP {answer.status_code}")


def receiver_for(address: str, *, form: str, token: str = "", ca_file: str | None = None) -> Receiver:
    """Return the receiver at an address, or raise SettingsError.

    syslog+tcp://HOST:PORT, syslog+tls://HOST:PORT, syslog+udp://HOST:PORT, https://HOST/PATH (http on loopback).
    """
    try:
        url = urlsplit(address)
        port = url.port or _DEFAULT_PORTS.get(url.scheme, 0)
    except ValueError as exc:
        raise SettingsError(f"audit_forward_to: {address!r} is no address") from exc
    if url.scheme in {"http", "https"}:
        if not is_secure(address):
            raise SettingsError("audit_forward_to: HTTP must be https without user info (http only on loopback)")
        return HttpReceiver(name=address, form=form, token=token, ca_file=ca_file)
    if url.scheme not in _DEFAULT_PORTS or not url.hostname or url.path not in {"", "/"} or url.query or url.username:
        raise SettingsError(
            f"audit_forward_to: {address!r} must be syslog+tls://, syslog+tcp:// or syslog+udp:// HOST:PORT, or https://"
        )
    tls = url.scheme == "syslog+tls"
    if not tls and not _is_near(url):
        raise SettingsError("audit_forward_to: to a public address use syslog+tls://; entries name people")
    if url.scheme == "syslog+udp":
        return SyslogDatagrams(name=address, host=url.hostname, port=port, form=form)
    return SyslogStream(name=address, host=url.hostname, port=port, form=form, tls=tls, ca_file=ca_file)


def _is_near(url: SplitResult) -> bool:
    """Tell whether an address is loopback or private; a name could lead anywhere."""
    try:
        return is_loopback_host(url.hostname) or ip_address(url.hostname or "").is_private
    except ValueError:
        return False
