"""Logging: one JSON line an event on standard error, publishable inside the organisation.

Rules:
 * Libraries that put addresses, tokens or bodies into their debug messages never log below WARNING, whatever the level.
 * The time is UTC.

Not here: what the service logs (web/access_log.py, web/answers.py), the audit log (audit/).
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Final

_TALKATIVE: Final = ("alembic", "authlib", "gunicorn", "hvac", "sqlalchemy", "urllib3", "requests", "flask-limiter")
"""Authlib logs whole tokens at DEBUG, urllib3 and gunicorn addresses with their query strings."""


class JsonLines(logging.Formatter):
    """One event, one line, one JSON object; an access line's own JSON becomes part of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        details = getattr(record, "facestep", None)
        if isinstance(details, dict):
            line.update(details)
        else:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logging(level: str) -> None:
    """Send everything to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
