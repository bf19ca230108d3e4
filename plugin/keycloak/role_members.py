"""Who has a realm role in Keycloak: directly, by a group or one above it, or by a composite realm role.

Keycloak lists for a role only those who have it directly and the groups that have it directly; the rest is put together
here. Needs the client roles view-realm and view-users.

Not here: composites of client roles that hold a realm role, which Keycloak does not tell about; what follows from a
role (helpdesk/desk.py), which asks for one person what Keycloak itself works out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from keycloak import KeycloakAdmin

Json = dict[str, Any]


def members_of(admin: KeycloakAdmin, roles: Collection[str]) -> list[Json]:
    """Return the user representations, attributes too, of all who have one of these roles, each once.

    Raises:
        KeycloakError: it cannot be told; also for a role that is not there.
    """
    found: dict[str, Json] = {}
    for role in [*roles, *_holding(admin, roles)]:
        for user in _members(admin, quote(role, safe="")):
            found.setdefault(str(user["id"]), user)
    return list(found.values())


def _members(admin: KeycloakAdmin, role: str) -> Iterator[Json]:
    yield from admin.get_realm_role_members(role, _whole())
    for group in admin.get_realm_role_groups(role):
        for one in _tree(admin, str(group["id"])):
            yield from admin.get_group_members(one, _whole())


def _tree(admin: KeycloakAdmin, group: str) -> Iterator[str]:
    """Yield the ids of a group and of all below it, which have its roles, too."""
    yield group
    for child in admin.get_group_children(group):
        yield from _tree(admin, str(child["id"]))


def _holding(admin: KeycloakAdmin, roles: Collection[str]) -> list[str]:
    """Return the names of the composite realm roles that hold one of these, themselves or through another."""
    composites = [one for one in admin.get_realm_roles() if one.get("composite")]
    held = {str(one["name"]): _names(admin.get_role_composites_by_id(str(one["id"]))) for one in composites}
    wanted, before = set(roles), 0
    while len(wanted) != before:
        before = len(wanted)
        wanted |= {name for name, parts in held.items() if parts & wanted}
    return sorted(wanted - set(roles))


def _names(roles: list[Json]) -> set[str]:
    """Return the names of realm roles; a client role of the same name is another."""
    return {str(one["name"]) for one in roles if not one.get("clientRole")}


def _whole() -> Json:
    """Return the query for representations with attributes; python-keycloak writes into what it is given."""
    return {"briefRepresentation": False}
