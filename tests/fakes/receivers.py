"""Receivers of the audit log that really listen: syslog over TCP, TLS and UDP, and HTTP. Each can be away, or rude."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_FRAME = re.compile(rb"([0-9]+) ")


class SyslogListener:
    """Octet-counted RFC 5424 messages. `rude` resets each connection before it has read all."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.messages: list[str] = []
        self.rude = False
        self.deaf = False
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        if self.rude:
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.close()
            return
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            body = b"".join(iter(lambda: connection.recv(65536), b""))
            if self.deaf:
                threading.Event().wait(2)
                return
            if isinstance(connection, ssl.SSLSocket):
                connection.unwrap()
        while body:
            length = _FRAME.match(body)
            assert length is not None, body[:50]
            end = length.end() + int(length[1])
            self.messages.append(body[length.end() : end].decode())
            body = body[end:]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class HttpListener:
    """Keeps the lines of each POST that it confirms; `status` is what it answers."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.lines: list[str] = []
        self.seen: list[dict[str, str]] = []
        self.status = 204
        self.location = ""
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                listener.seen.append(dict(self.headers))
                if 200 <= listener.status < 300:
                    listener.lines += body.splitlines()
                self.send_response(listener.status)
                if listener.location:
                    self.send_header("Location", listener.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}/audit"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
