"""A ticket system at the helpdesk's API, through Flask's test client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugin.helpdesk.types import API_ROLE

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.plugin.helpdesk.office import Office


@dataclass
class Program:
    """One service account; its token is its client's name (office.ListedPrograms)."""

    app: Flask
    office: Office
    name: str = "tickets"

    def __post_init__(self) -> None:
        self.office.people.add(f"service-account-{self.name}", roles=[API_ROLE], addresses=[])
        self.client = self.app.test_client()

    def calls(self, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> TestResponse:
        """POST `body`, or GET without one."""
        token = self.name if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        where = {"base_url": self.office.world.settings.issuer, "headers": headers | more.pop("headers", {})}
        if body is None:
            return self.client.get(f"/helpdesk/api/v1{path}", **where, **more)
        return self.client.post(f"/helpdesk/api/v1{path}", json=body, **where, **more)

    def opens(self, about: str = "alice") -> str:
        """Open a case; return its path."""
        answer = self.calls("/cases", {"name": about, "ticket": "T-9", "reason": "phone lost"})
        assert answer.status_code == 201, answer.text
        return f"/cases/{answer.get_json()['id']}"
