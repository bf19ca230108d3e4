"""Letters over SMTP, through Python's own smtplib. Whoever calls hears of every failure.

Rules:
 * TLS with verified certificates, unless the server is this machine's own.
 * One letter to each address, so that nobody reads the other addresses.
 * A failure is ServiceError("mail_failed") with the kind of failure, never an address.

Not here: what is written (helpdesk/letters.py).
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plugin.settings import Settings

_TIMEOUT_S: Final = 10
_PORTS: Final = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}


class SmtpPost:
    """helpdesk.types.Post over the server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._url = urlsplit(settings.mail_server)
        self._from = settings.mail_from
        self._password_file = settings.mail_password_file

    def send(self, addresses: Sequence[str], *, subject: str, text: str) -> None:
        """Send one letter to each address. Raises ServiceError."""
        if not addresses:
            raise ServiceError("mail_failed", "no address")
        try:
            with self._server() as server:
                for address in addresses:
                    server.send_message(self._letter(address, subject=subject, text=text))
        except (OSError, smtplib.SMTPException, ValueError) as exc:
            raise ServiceError("mail_failed", type(exc).__name__) from exc

    def _letter(self, address: str, *, subject: str, text: str) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self._from, address, subject
        letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(domain=self._from.rpartition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        return letter

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        host, port = self._url.hostname or "", self._url.port or _PORTS[self._url.scheme]
        if self._url.scheme == "smtps":
            tls = ssl.create_default_context()
            opened: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=tls)
        else:
            opened = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
        with opened as server:
            if self._url.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._url.username and self._password_file is not None:
                password = self._password_file.read_text(encoding="utf-8").strip()
                server.login(unquote(self._url.username), password)
            yield server
