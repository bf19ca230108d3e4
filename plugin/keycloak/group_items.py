"""The groups that the helpdesk's policy names exist: a rule for a group that is spelled otherwise protects nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from plugin.keycloak.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugin.keycloak.admin import RealmAdmin


class GroupsItem:
    """Every group of the policy is one of the realm. Which of the two is wrong, only the organisation knows."""

    name = "groups of the helpdesk's policy"

    def __init__(self, admin: RealmAdmin, groups: Sequence[str]) -> None:
        self._admin = admin
        self._groups = groups

    def look(self) -> Finding:
        """Ask for each by its path."""
        missing = [path for path in self._groups if self._admin.find(f"/group-by-path{quote(path)}") is None]
        if not missing:
            return Finding(self.name, right=True, seen=f"{len(self._groups)} are there")
        mend = "create these groups, or correct their paths in the policy (helpdesk_policy_file)"
        return Finding(self.name, right=False, seen=f"not there: {', '.join(missing)}", mend=mend)
