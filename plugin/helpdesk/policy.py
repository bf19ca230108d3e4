"""What must be proven before a pass, for whom, and who must agree: helpdesk policy, a TOML file.

    pass_minutes = 60            # how long a pass is good for, 10 to 480
    lookups_per_hour = 30        # by one agent
    cases_per_day = 3            # about one person
    apart = "session"            # or "address": the second agent must sit at another network address
    keep_days = 90               # so long cases stay, 14 to 365; the audit log stays as the organisation says
    api_proofs = []              # what a ticket system may note that calls the API; else only people note proofs
    show_pass_once = false       # true: two people may agree to show a pass to the agent, once, in place of sending it

    [default]
    proofs = ["call_back"]       # what an agent must have done
    four_eyes = true             # a second agent must agree

    [[group]]
    name = "/administrators"     # group path at the identity provider; who is in a group below it is in it
    proofs = ["call_back", "document"]
    four_eyes = true

    [action.unlock]              # one of helpdesk/actions.py
    proofs = ["in_person"]
    four_eyes = true

Rules:
 * Of several rules that fit a person or an action everything is demanded: groups and actions only add.
 * An action that must be quick asks for what its own rule says alone, and waits for nobody unless the person is staff
   or in a group of which policy wants four eyes.
 * Breaking glass asks for what its own rule says alone, nothing in the shipped policy, and always for four eyes.
 * Staff of the helpdesk, and people who got a pass lately, need every proof that any rule names, and four eyes.
 * Where the live face is demanded of somebody who has no usable face on record, they must be seen in person.
 * Nothing is guessed: an unknown key, proof or a value out of range stops the start.
 * There are no knowledge questions: what a caller knows, somebody else can know.

The table [abuse] is bounds.py's.

Not here: who is a member of what (types.OnRecord), what an agent has noted (cases.py).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from plugin.errors import SettingsError
from plugin.helpdesk import bounds
from plugin.helpdesk.actions import KINDS
from plugin.helpdesk.bounds import Bounds
from plugin.helpdesk.hours import UNDECIDED
from plugin.helpdesk.types import PRIVILEGED, SHOWN, Action

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from plugin.helpdesk.types import CaseView, OnRecord

NOTED: Final = ("call_back", "in_person", "document")
"""call_back: called the number on record. in_person: was seen at a desk. document: an identity document was seen."""
LIVE_FACE: Final = "live_face"
MANAGER: Final = "manager"
PROOFS: Final = (*NOTED, LIVE_FACE, MANAGER)
"""The last two are noted by the service alone: the live face (face_checks.py), the manager's word (managers.py)."""
APART: Final = ("session", "address")
_WORDS: Final = ("none", "one")
_RANGES: Final = {
    "pass_minutes": (10, 480),
    "check_minutes": (5, 60),
    "manager_minutes": (10, 480),
    "lookups_per_hour": (1, 1000),
    "cases_per_day": (1, 100),
    "keep_days": (14, 365),  # above the life of the links in letters (stopping.py)
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one group of people must have proven."""

    proofs: frozenset[str]
    four_eyes: bool


@dataclass(frozen=True, slots=True)
class Demands:
    """What one case needs, in the order of PROOFS."""

    proofs: tuple[str, ...]
    four_eyes: bool


NOTHING: Final = Rule(frozenset(), four_eyes=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules; the defaults are the shipped policy."""

    default: Rule = Rule(frozenset({"call_back", LIVE_FACE}), four_eyes=True)
    groups: tuple[tuple[str, Rule], ...] = ()
    actions: Mapping[Action, Rule] = field(default_factory=dict)
    pass_minutes: int = 60
    check_minutes: int = 15
    manager_minutes: int = 240
    lookups_per_hour: int = 30
    cases_per_day: int = 3
    apart: str = "session"
    keep_days: int = 90
    bounds: Bounds = field(default_factory=Bounds)
    show_pass_once: bool = False
    api_proofs: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path | None) -> Policy:
        """Return the policy of the file, or the shipped one. Raises SettingsError."""
        if path is None:
            return cls()
        try:
            return parse(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
            raise SettingsError(f"helpdesk_policy_file={path} cannot be read: {exc}") from exc

    def notices(self) -> tuple[str, ...]:
        """Return what whoever runs the service should decide and has not."""
        return () if self.bounds.hours_decided else (UNDECIDED,)

    def demands(self, person: OnRecord, *, risks: Collection[str], has_face: bool) -> Demands:
        """Return what a case about this person needs; `has_face`: there is one to compare a live face with."""
        fitting = [self.default, *self.rules_of(person)]
        asked = frozenset().union(*(rule.proofs for rule in fitting))
        four_eyes = any(rule.four_eyes for rule in fitting)
        if risks:
            every = [self.default, *(rule for _, rule in self.groups)]
            asked, four_eyes = frozenset().union(*(rule.proofs for rule in every)), True
        return Demands(_in_order(_possible(asked, has_face=has_face)), four_eyes=four_eyes)

    def is_privileged(self, person: OnRecord) -> bool:
        """Tell whether nothing may be done to this person by one agent alone."""
        return person.is_staff or any(rule.four_eyes for rule in self.rules_of(person))

    def rules_of(self, person: OnRecord) -> list[Rule]:
        """Return the rules of the groups that this person is in, or in a group below."""
        return [rule for name, rule in self.groups if any(_is_in(group, name) for group in person.groups)]

    def for_action(self, action: Action, case: CaseView, *, target: str = "", has_face: bool = True) -> Demands:
        """Return what this action needs on this case.

        A pass that is to be shown needs four eyes. A face that is to be enrolled anew cannot speak for itself.
        """
        has_face = has_face and action is not Action.REENROL_FACE
        kind, rule = KINDS[action], self.actions.get(action, NOTHING)
        proofs, four_eyes = kind.proofs | rule.proofs, kind.four_eyes or rule.four_eyes or PRIVILEGED in case.risks
        four_eyes = four_eyes or target == SHOWN
        if not (kind.quick or kind.emergency):
            proofs, four_eyes = proofs | set(case.demanded), four_eyes or case.four_eyes
        return Demands(_in_order(_possible(proofs, has_face=has_face)), four_eyes=four_eyes)


def parse(table: Mapping[str, Any]) -> Policy:
    """Return the policy that a TOML document holds. Raises SettingsError for the first thing that makes no sense."""
    _nothing_but(
        table, {*_RANGES, "apart", "default", "group", "action", "abuse", "show_pass_once", "api_proofs"}, where=""
    )
    numbers = {name: _number(table, name) for name in _RANGES if name in table}
    apart = table.get("apart", "session")
    if apart not in APART:
        raise SettingsError(f"helpdesk policy: apart must be {' or '.join(APART)}")
    shown = table.get("show_pass_once", False)
    if not isinstance(shown, bool):
        raise SettingsError("helpdesk policy: show_pass_once must be true or false")
    noted = table.get("api_proofs", [])
    if not isinstance(noted, list) or any(proof not in NOTED for proof in noted):
        raise SettingsError(f"helpdesk policy: api_proofs must be a list of {', '.join(NOTED)}, or empty")
    default = _rule(table["default"], where="default") if "default" in table else Policy().default
    listed = table.get("group", [])
    if not isinstance(listed, list):
        raise SettingsError("helpdesk policy: groups are written as [[group]]")
    groups = tuple(_group(one, number) for number, one in enumerate(listed, start=1))
    if len({name for name, _ in groups}) != len(groups):
        raise SettingsError("helpdesk policy: a group is named twice")
    return Policy(
        default=default,
        groups=groups,
        actions=_actions(table.get("action", {})),
        apart=apart,
        show_pass_once=shown,
        api_proofs=frozenset(noted),
        bounds=bounds.parse(table.get("abuse", {})),
        **numbers,
    )


def _actions(named: Any) -> dict[Action, Rule]:
    if not isinstance(named, dict):
        raise SettingsError("helpdesk policy: actions are written as [action.NAME]")
    _nothing_but(named, set(Action), where="action: ")
    return {Action(name): _rule(one, where=f"action {name}", least=0) for name, one in named.items()}


def _group(one: Any, number: int) -> tuple[str, Rule]:
    where = f"group {number}"
    if not isinstance(one, dict) or not isinstance(one.get("name"), str) or not one["name"].startswith("/"):
        raise SettingsError(f"helpdesk policy: {where} needs a name, a group's path that begins with a slash")
    if one["name"].endswith("/"):
        raise SettingsError(
            f"helpdesk policy: {where}: a group's path ends without a slash; groups below are meant, too"
        )
    return one["name"], _rule({key: value for key, value in one.items() if key != "name"}, where=where)


def _rule(one: Any, *, where: str, least: int = 1) -> Rule:
    if not isinstance(one, dict):
        raise SettingsError(f"helpdesk policy: {where} must be a table")
    _nothing_but(one, {"proofs", "four_eyes"}, where=f"{where}: ")
    proofs, four_eyes = one.get("proofs"), one.get("four_eyes")
    if not isinstance(proofs, list) or len(proofs) < least or any(proof not in PROOFS for proof in proofs):
        raise SettingsError(
            f"helpdesk policy: {where}: proofs must be a list of {', '.join(PROOFS)}, at least {_WORDS[least]}"
        )
    if not isinstance(four_eyes, bool):
        raise SettingsError(f"helpdesk policy: {where}: four_eyes must be true or false")
    return Rule(frozenset(proofs), four_eyes=four_eyes)


def _is_in(group: str, name: str) -> bool:
    """Tell whether `group` is the group of this name or below it; Keycloak names directly joined groups alone."""
    return group == name or group.startswith(f"{name}/")


def _possible(proofs: frozenset[str], *, has_face: bool) -> frozenset[str]:
    """Return the proofs that this person can give: who has no usable face must be seen in person, not waved through."""
    return proofs if has_face or LIVE_FACE not in proofs else proofs - {LIVE_FACE} | {"in_person"}


def _in_order(proofs: Collection[str]) -> tuple[str, ...]:
    return tuple(proof for proof in PROOFS if proof in proofs)


def _number(table: Mapping[str, Any], name: str) -> int:
    value, (low, high) = table[name], _RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SettingsError(f"helpdesk policy: {name} must be a whole number from {low} to {high}")
    return value


def _nothing_but(table: Mapping[str, Any], known: set[str], *, where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise SettingsError(f"helpdesk policy: {where}unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
