"""The Flask application: settings and services in, an application out.

Not here: which services exist (wiring.py), how errors, headers, log and limits look (web/), what the routes do
(doors/, pages/, api/).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from plugin.api import ceremony as api
from plugin.api import helpdesk as helpdesk_api
from plugin.doors import erase, health, provider
from plugin.pages import ceremony as pages
from plugin.pages import guides, helpdesk, me, retention
from plugin.web.access_log import register_access_log
from plugin.web.answers import register_errors
from plugin.web.headers import register_headers
from plugin.web.limits import limit_routes
from plugin.web.plain_text import register_plain_text

if TYPE_CHECKING:
    from plugin.settings import Settings
    from plugin.wiring import Services

_ROOT: Final = Path(__file__).resolve().parent.parent
_FRAMES_SUFFIX: Final = "/face/frames"
_MAX_BODY_BYTES: Final = 64 * 1024
"""Largest body of anything but frames: a passkey or a signed assertion is a few KiB."""
_MAX_BATCH_FRAMES: Final = 12
"""Most frames in one upload; the page sends six and the repeated one."""


def create_app(settings: Settings, services: Services | None = None) -> Flask:
    """Return the application; without `services` they are built, which refuses to start on anything unsound."""
    if services is None:
        from plugin.wiring import build_services  # noqa: PLC0415  (loads the models; tests pass services of their own)

        services = build_services(settings)
    app = Flask("plugin", template_folder=str(_ROOT / "templates"), static_folder=str(_ROOT / "plugin" / "static"))
    app.extensions["facestep"] = services
    _limit_bodies(app, max_frame_bytes=settings.max_frame_bytes)
    register_access_log(app)
    register_headers(app, https=settings.issuer.startswith("https:"))
    register_errors(app)
    register_plain_text(app, parses_itself=_FRAMES_SUFFIX)
    for blueprint in (provider.bp, erase.bp, health.bp, pages.bp, retention.bp, api.bp):
        app.register_blueprint(blueprint)
    if settings.metrics_token_file is not None:
        from plugin.doors import metrics  # noqa: PLC0415  (only who measures loads prometheus_client)

        app.register_blueprint(metrics.bp)
    if services.me is not None:
        app.register_blueprint(me.bp)
    if services.helpdesk is not None:
        app.register_blueprint(helpdesk.bp)
        app.register_blueprint(guides.bp)
        app.register_blueprint(helpdesk_api.bp)
    limit_routes(app, storage=settings.rate_limit_storage)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
    return app


def _limit_bodies(app: Flask, *, max_frame_bytes: int) -> None:
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BATCH_FRAMES * max_frame_bytes + _MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = _MAX_BODY_BYTES
    app.config["MAX_FORM_PARTS"] = 2 * _MAX_BATCH_FRAMES

    @app.before_request
    def small_unless_frames() -> None:
        if not request.path.endswith(_FRAMES_SUFFIX):
            request.max_content_length = _MAX_BODY_BYTES
