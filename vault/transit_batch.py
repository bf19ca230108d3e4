"""Many values in one call of transit: how they are asked for, and what the answers mean.

Rules:
 * One call takes values of one key. Answers are matched by their place; a call with another number of answers is an
   error, since a value must never get another one's ciphertext.
 * The server answers 400 with all results when one value does not open, so the others are not lost.

Not here: what is done with the answers (transit.py, transit_rotator.py).
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from vault.interface import Ciphertext, KeyTooOld, Purpose, ToOpen, ToSeal, VaultError, WrongContext
from vault.transit_http import VaultRefused
from vault.transit_keys import derivation, key_name, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vault.transit_client import VaultClient

MOST: Final = 200
"""Values in one call. OpenBao refuses a body of more than 1,000 strings; a value takes four (two names, two texts)."""

_SEALED: Final = re.compile(r"vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]+={0,2}")


def batches(items: Sequence[ToSeal | ToOpen]) -> Iterator[tuple[Purpose, list[int]]]:
    """Yield purposes with the places of at most MOST of their items."""
    places: defaultdict[Purpose, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        places[item.context.purpose].append(place)
    for purpose, found in places.items():
        for begin in range(0, len(found), MOST):
            yield purpose, found[begin : begin + MOST]


def ask_many(client: VaultClient, verb: str, purpose: Purpose, asked: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return one answer for each of `asked`; one that was refused has an `error`."""
    try:
        answer = client.transit(verb, key_name(purpose), {"batch_input": asked}, action=f"{verb} {len(asked)} values")
    except VaultRefused as exc:
        if not isinstance(exc.data, dict) or "batch_results" not in exc.data:
            raise
        answer = exc.data
    results = answer.get("batch_results")
    if not isinstance(results, list) or len(results) != len(asked) or not all(isinstance(r, dict) for r in results):
        raise VaultError(f"{verb}: the answer of {client.url} is not understood")
    return results


def asked_to_seal(item: ToSeal) -> dict[str, str]:
    """Return what the API takes."""
    return {"plaintext": text(item.plaintext), "context": derivation(item.context, item.associated_data)}


def asked_to_open(item: ToOpen) -> dict[str, str]:
    """Return what the API takes, or raise WrongContext: the server would overlook line breaks and the like."""
    if not is_sealed(item.sealed):
        raise WrongContext("the sealed value was not made by transit, or was changed")
    return {"ciphertext": item.sealed, "context": derivation(item.context, item.associated_data)}


def is_sealed(value: object) -> bool:
    """Tell whether `value` looks like a ciphertext of transit."""
    return isinstance(value, str) and _SEALED.fullmatch(value) is not None


def ciphertext_of(answer: Mapping[str, Any], *, url: str) -> Ciphertext:
    """Return the ciphertext of an answer. Raises VaultError when there is none."""
    sealed = answer.get("ciphertext")
    if not is_sealed(sealed):
        raise VaultError(f"seal: the answer of {url} is not understood")
    return Ciphertext(str(sealed))


def not_opened(reason: str) -> WrongContext:
    """Return what it means that the server did not open a value."""
    if "too old" in reason:  # "ciphertext or signature version is disallowed by policy (too old)"
        return KeyTooOld("the sealed value is of a key version that no longer opens; was an old copy put back?")
    return WrongContext("the sealed value is not for this context, or was changed")
