"""Strict JSON bodies: exactly the fields a call names, of exactly the types it names, not longer than it says.

Rules:
 * An unknown, missing or repeated field is refused; so is a value of a neighbouring type ("false" is not False).
 * Nothing is converted. What leaves here has the shape of the schema.

Not here: what the values mean (factors/), pictures (frames.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from flask import request

from plugin.errors import ServiceError
from plugin.storable import is_storable

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_JSON_BYTES: Final = 32 * 1024
"""A WebAuthn attestation with a certificate chain is the largest body we expect, about 10 KiB."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string of at most `longest` characters; `nullable` lets JSON null through."""

    longest: int
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class TextList:
    """A list of at most `most` strings of at most `longest` characters."""

    most: int
    longest: int


@dataclass(frozen=True, slots=True)
class Number:
    """A finite JSON number from 0 to `most`; `nullable` lets JSON null through."""

    most: float
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """A real JSON boolean."""


Schema = dict[str, "Text | TextList | Number | Flag | Schema"]


def json_body(schema: Schema) -> dict[str, Any]:
    """Return the request's JSON object, which has exactly the fields of `schema`, or raise ServiceError."""
    if request.mimetype != "application/json":
        _refuse("not_json")
    if request.args:
        _refuse("query_not_expected")
    raw = request.get_data(cache=False)
    if len(raw) > MAX_JSON_BYTES:
        raise ServiceError("too_large", "json_body")
    return checked(load_json(raw), schema)


def load_json(raw: bytes | str) -> Any:
    """Return parsed JSON; a repeated field, NaN, text that cannot be stored or anything unreadable is refused."""
    try:
        value = json.loads(raw, object_pairs_hook=_without_repeats, parse_constant=_refuse)
        storable = is_storable(value)
    except (ValueError, RecursionError) as exc:
        raise ServiceError("bad_request", "json_unreadable") from exc
    if not storable:
        _refuse("unstorable_text")
    return value


def checked(value: Any, schema: Schema) -> dict[str, Any]:
    """Return `value` if it has exactly the shape of `schema`, or raise ServiceError."""
    if not isinstance(value, dict) or set(value) != set(schema):
        _refuse("fields")
    for name, rule in schema.items():
        _check(name, value[name], rule)
    return value


def _check(name: str, value: Any, rule: Text | TextList | Number | Flag | Schema) -> None:
    match rule:
        case Text():
            fits = (isinstance(value, str) and len(value) <= rule.longest) or (rule.nullable and value is None)
        case TextList():
            fits = (
                isinstance(value, list)
                and len(value) <= rule.most
                and all(isinstance(item, str) and len(item) <= rule.longest for item in value)
            )
        case Number():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            fits = (is_number and 0 <= value <= rule.most) or (rule.nullable and value is None)
        case Flag():
            fits = isinstance(value, bool)
        case _:
            checked(value, rule)
            return
    if not fits:
        _refuse(f"field_{name}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        _refuse("field_repeated")
    return fields


def _refuse(why: str) -> NoReturn:
    raise ServiceError("bad_request", why)
