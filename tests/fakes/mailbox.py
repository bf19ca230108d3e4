"""A mail server on loopback that keeps what it gets: enough SMTP for Keycloak and for us to send a letter."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_string
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from email.message import Message


class Mailbox:
    """with Mailbox() as mailbox: … mailbox.port … mailbox.letters, their texts, and mailbox.heads, to whom and what"""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.heads: list[str] = []
        mailbox = self

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                mailbox._talk(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _talk(self, line: socketserver.StreamRequestHandler) -> None:
        line.wfile.write(b"220 mailbox\r\n")
        while command := line.rfile.readline().decode().strip():
            verb = command.partition(" ")[0].upper()
            if verb == "DATA":
                line.wfile.write(b"354 go on\r\n")
                letter = message_from_string(_read_letter(line))
                self.heads.append(f"{letter['To']}: {letter['Subject']}")
                self.letters.append(_text(letter))
            answer = {"QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n")
            line.wfile.write(answer)
            if verb == "QUIT":
                return


def _read_letter(line: socketserver.StreamRequestHandler) -> str:
    lines = []
    while (one := line.rfile.readline().decode()) not in {".\r\n", ""}:
        lines.append(one.removeprefix(".") if one.startswith("..") else one)
    return "".join(lines)


def _text(letter: Message) -> str:
    part = next(one for one in letter.walk() if one.get_content_type() == "text/plain")
    content = part.get_payload(decode=True)
    return content.decode() if isinstance(content, bytes) else ""
