"""How much is too much, and what is loud: the table [abuse] of the helpdesk's policy.

    [abuse]
    lookups_per_hour_network = 200   # refused beyond: look-ups, cases, asked actions
    cases_per_day_agent = 40
    cases_per_day_network = 200
    asks_per_day_person = 5
    asks_per_day_agent = 40
    asks_per_day_network = 200
    suspensions_per_day_agent = 10   # refused beyond: suspending at once, which no other limit refuses
    suspensions_per_day_network = 40
    resets_per_day = 15              # an alarm beyond: what one agent asked for
    recovered_per_day_network = 5    # people who used a pass from one network address
    refused_passes_per_hour = 20     # at all login pages together
    break_glass_per_day = 2          # refused beyond: asked for by one person, agreed to in the realm; at most 10
    same_pair = 10                   # times one after another that one agent's requests met the same approver
    hours = "08:00-18:00"            # working hours; or "any": no hour is unusual. Without them the start says so
    days = ["mon", "tue", "wed", "thu", "fri"]
    time_zone = "Europe/Vienna"

The numbers are bounds on abuse, not measurements. Limits by agent and person that were there before stand in the
policy itself (lookups_per_hour, cases_per_day).

Not here: counting (limits.py), what follows (watch.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from plugin.errors import SettingsError
from plugin.helpdesk import hours as working

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.helpdesk.hours import WorkingHours

_MOST: Final = 10_000
_MOST_OF: Final = {"break_glass_per_day": 10}
"""Who needs an emergency more often than that needs another policy."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers, each from 1 to 10,000 (break_glass_per_day: to 10), and the working hours.

    break_glass_per_day is two: an emergency, and once more where its ten minutes were missed.
    """

    lookups_per_hour_network: int = 200
    cases_per_day_agent: int = 40
    cases_per_day_network: int = 200
    asks_per_day_person: int = 5
    asks_per_day_agent: int = 40
    asks_per_day_network: int = 200
    suspensions_per_day_agent: int = 10
    suspensions_per_day_network: int = 40
    resets_per_day: int = 15
    recovered_per_day_network: int = 5
    refused_passes_per_hour: int = 20
    break_glass_per_day: int = 2
    same_pair: int = 10
    hours: WorkingHours | None = None
    hours_decided: bool = False
    """Somebody has said what the hours are, or that no hour is unusual."""


_NUMBERS: Final = tuple(field.name for field in fields(Bounds) if field.type == "int")


def parse(table: Any) -> Bounds:
    """Return the bounds of a policy. Raises SettingsError for the first thing that makes no sense."""
    if not isinstance(table, dict):
        raise SettingsError("helpdesk policy: abuse is written as [abuse]")
    known = {*_NUMBERS, *working.KEYS}
    unknown = sorted(set(table) - known)
    if unknown:
        raise SettingsError(f"helpdesk policy: abuse: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    numbers = {name: _number(table, name) for name in _NUMBERS if name in table}
    return Bounds(hours=working.parse(table), hours_decided="hours" in table, **numbers)


def _number(table: Mapping[str, Any], name: str) -> int:
    value, most = table[name], _MOST_OF.get(name, _MOST)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise SettingsError(f"helpdesk policy: abuse: {name} must be a whole number from 1 to {most}")
    return value
