"""Keycloak's admin interface for one realm: the one file that speaks python-keycloak.

Rules:
 * What Keycloak or the network refuse becomes a ServiceError with one sentence; no error of python-keycloak gets out.
 * Passwords and tokens are not in any message.

Not here: what a realm should look like (items.py, flows.py).
"""

from __future__ import annotations

from http import HTTPStatus
from json import dumps
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from keycloak import KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakConnectionError, KeycloakError

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

Method = Literal["get", "post", "put", "delete"]
Json = dict[str, Any]
_TIMEOUT_S: Final = 30
"""Building a realm makes dozens of keys and rows; a busy Keycloak needs seconds for it."""


class RealmAdmin:
    """Calls below /admin/realms/<realm>, as an administrator."""

    def __init__(self, server: str, realm: str, *, user: str, password: str, login_realm: str = "master") -> None:
        self.server = server.rstrip("/")
        self.realm = realm
        self._connection = KeycloakOpenIDConnection(
            server_url=self.server + "/",
            realm_name=realm,
            user_realm_name=login_realm,
            username=user,
            password=password,
            client_id="admin-cli",
            timeout=_TIMEOUT_S,
        )

    def exists(self) -> bool:
        """Tell whether the realm is there."""
        return self._call("get", "", missing_is_none=True) is not None

    def create(self, representation: Mapping[str, object]) -> None:
        """Create the realm."""
        self._request("post", "/admin/realms", {**representation, "realm": self.realm})

    def representation(self) -> Json:
        """Return the realm."""
        return dict(self._call("get", ""))

    def update(self, changes: Mapping[str, object]) -> None:
        """Change fields of the realm; fields that are not named stay."""
        self._call("put", "", changes)

    def set_attribute(self, name: str, value: str) -> None:
        """Change one realm attribute. Keycloak drops what an update leaves out, so all are read first."""
        attributes = self.representation().get("attributes", {})
        self.update({"attributes": {**attributes, name: value}})

    def get(self, path: str) -> Any:
        """Return what is at `path`."""
        return self._call("get", path)

    def find(self, path: str) -> Any | None:
        """Return what is at `path`, or None."""
        return self._call("get", path, missing_is_none=True)

    def post(self, path: str, body: Mapping[str, object] | list[Json]) -> str:
        """Create something and return its id, where Keycloak says it."""
        answer = self._request("post", f"/admin/realms/{quote(self.realm)}{path}", body)
        return str(answer.headers.get("Location", "")).rpartition("/")[2]

    def put(self, path: str, body: Mapping[str, object]) -> None:
        """Change something."""
        self._call("put", path, body)

    def delete(self, path: str) -> None:
        """Remove something."""
        self._call("delete", path)

    def _call(
        self, method: Method, path: str, body: Mapping[str, object] | None = None, *, missing_is_none: bool = False
    ) -> Any:
        answer = self._request(method, f"/admin/realms/{quote(self.realm)}{path}", body, allow_missing=missing_is_none)
        if answer.status_code == HTTPStatus.NOT_FOUND or not answer.content:
            return None
        return answer.json()

    def _request(
        self, method: Method, path: str, body: Mapping[str, object] | list[Json] | None, *, allow_missing: bool = False
    ) -> Any:
        send = getattr(self._connection, f"raw_{method}")
        try:
            answer = send(path.lstrip("/")) if body is None else send(path.lstrip("/"), data=dumps(body))
        except KeycloakConnectionError as exc:
            raise ServiceError("keycloak_unavailable", f"Keycloak at {self.server} does not answer") from exc
        except KeycloakError as exc:
            raise _login_error(exc, self.server) from exc
        status = HTTPStatus(answer.status_code)
        if answer.ok or (status is HTTPStatus.NOT_FOUND and allow_missing):
            return answer
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ServiceError("keycloak_denied", f"this admin may not {method} {path}")
        raise ServiceError("keycloak_error", f"{method} {path}: {status.value} {_reason(answer)}")


def _login_error(exc: KeycloakError, server: str) -> ServiceError:
    if exc.response_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
        return ServiceError("keycloak_denied", f"Keycloak at {server} does not accept this admin user and password")
    return ServiceError("keycloak_error", f"Keycloak at {server} answered {exc.response_code} to the admin login")


def _reason(answer: Any) -> str:
    """Return Keycloak's own sentence about a refused call; it names fields, never secrets."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("errorMessage") or body.get("error") or "")[:200] if isinstance(body, dict) else ""
