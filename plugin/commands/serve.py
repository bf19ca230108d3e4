"""`facestep serve`: run the service under gunicorn.

Rules:
 * Everything is checked once before the first worker starts, so that what is wrong is one line and not a crash loop.
 * The models are opened once and shared by the workers (one thread each, so nothing of them is lost in the fork);
   connections to the database and the vault are opened by each worker for itself.
 * Nobody's address with its query string reaches a log, and no memory a core dump (plugin/hardening.py).
"""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING, Any, Final

import click
import gunicorn.http.wsgi
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from biometric.pipeline import FacePipeline
    from plugin.settings import Settings
    from plugin.wiring import Services

_REQUEST_LINE_BYTES: Final = 8190
"""gunicorn's most; a signed request (doors/jws.py: 6000) and the client id fit."""
_TIMEOUT_S: Final = 30


@click.command()
def command() -> None:
    """Run the service until it is told to stop (Ctrl-C or SIGTERM).

    Settings come from facestep.toml (or the file that FACESTEP_CONFIG names) and FACESTEP_… variables.

    \b
    Examples:
      facestep serve
      FACESTEP_CONFIG=/etc/facestep.toml facestep serve
      FACESTEP_LISTEN_PORT=8443 FACESTEP_WORKERS=4 facestep serve
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from plugin.hardening import forbid_core_dumps
    from plugin.logs import configure_logging
    from plugin.settings import Settings

    started = time.perf_counter()
    settings = Settings.load()
    configure_logging(settings.log_level)
    forbid_core_dumps()
    check_port(settings.listen_host, settings.listen_port)
    pipeline = _check_everything(settings)
    click.echo(
        f"facestep: serving {settings.issuer} on {settings.listen_host}:{settings.listen_port}, "
        f"{settings.workers} workers, ready after {time.perf_counter() - started:.1f} s",
        err=True,
    )
    Server(settings, pipeline).run()


def check_port(host: str, port: int) -> None:
    """Raise ServiceError if we cannot listen there, and say why."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            taken = f"{host}:{port} is in use; stop what runs there or set listen_port"
            raise ServiceError("port_taken", taken) from exc
        raise ServiceError("port_refused", f"cannot listen on {host}:{port}: {exc.strerror}") from exc


def _check_everything(settings: Settings) -> FacePipeline:
    """Build the application once, which creates the signing key, and return the models for the workers."""
    from plugin.app import create_app
    from plugin.auditing import receivers
    from plugin.wiring import build_services, open_pipeline

    receivers(settings)
    pipeline = open_pipeline(settings)
    services = build_services(settings, pipeline=pipeline)
    create_app(settings, services)
    services.database.close()
    for notice in services.helpdesk.policy.notices() if services.helpdesk else ():
        click.echo(f"facestep: {notice}", err=True)
    return pipeline


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn with our settings and nothing from its own environment variables."""

    def __init__(self, settings: Settings, pipeline: FacePipeline) -> None:
        self._settings = settings
        self._pipeline = pipeline
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        host = f"[{self._settings.listen_host}]" if ":" in self._settings.listen_host else self._settings.listen_host
        values: dict[str, Any] = {
            "bind": f"{host}:{self._settings.listen_port}",
            "workers": self._settings.workers,
            "worker_class": "gthread",
            "threads": self._settings.threads,
            "timeout": _TIMEOUT_S,
            "graceful_timeout": 10,
            "limit_request_line": _REQUEST_LINE_BYTES,
            "forwarded_allow_ips": "",  # only our own trusted_proxies setting believes a header
            "loglevel": "warning",
            "logger_class": QuietLogger,
            "control_socket_disable": True,
        }
        for name, value in values.items():
            self.cfg.set(name, value)
        gunicorn.http.wsgi.SERVER = "facestep"  # the Server header: neither engine nor version

    def load(self) -> Flask:
        """Build the application in the worker, around the models it inherited."""
        from plugin.app import create_app
        from plugin.auditing import build_duties
        from plugin.wiring import build_services

        services = build_services(self._settings, pipeline=self._pipeline)
        besides = beside_requests(services)
        build_duties(self._settings, services.database, services.sealer, clock=services.clock, besides=besides).start()
        return create_app(self._settings, services)


def beside_requests(services: Services) -> list[Callable[[], None]]:
    """Return what a worker does now and then, whether anybody asks it for anything or not."""

    def housekeeping() -> None:
        services.housekeeping.sweep(now=services.clock())

    def chores() -> None:
        if services.helpdesk is not None:
            services.helpdesk.chores.run(now=services.clock())

    return [housekeeping, chores]


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's log without the query strings of requests that broke."""

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log an error."""
        super().exception(msg, *without_queries(args), **kwargs)


def without_queries(args: tuple[Any, ...]) -> list[Any]:
    """Return the arguments of a log call with each address cut at its question mark."""
    return [arg.partition("?")[0] if isinstance(arg, str) else arg for arg in args]
