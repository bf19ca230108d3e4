"""Signed messages of identity providers: request objects (RFC 9101) and client assertions (RFC 7523).

Rules:
 * A realm signs everybody's access and ID tokens with the same key, so a signature alone proves nothing: the explicit
   type in the header (RFC 8725, 3.11) and the audience decide what a message is for.
 * The header holds alg, kid and typ and nothing else. A key never comes with the message.
 * Nothing of a message is believed before its signature, except which registered provider to ask for its keys.
 * Every check has a name; the name goes to the audit log and never outside.

Not here: what the claims of each kind must say (signed_request.py, assertions.py), ids that were used (seen.py).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from plugin.doors.keys import ALGORITHMS
from plugin.errors import ClientRefused
from plugin.storable import is_storable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugin.doors.keys import SignatureKey

MAX_JWS_CHARS: Final = 6000
"""A request object with an RSA-4096 signature and Keycloak's longest redirect address is below 3000."""
LEEWAY: Final = timedelta(seconds=30)
"""Clocks of two well-kept hosts differ by less; both kinds of message live for minutes at most."""
_HEADER: Final = frozenset({"alg", "kid", "typ"})
_MAX_KID_CHARS: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _Registry(jws.JWSRegistry):
    """joserfc warns of the name "EdDSA", which fits two curves; our keys say which one (keys.py)."""

    def get_alg(self, name: str) -> Any:
        """Return the algorithm; check (4) has already found it on our own list."""
        return self.algorithms[name]


_REGISTRY: Final = _Registry(algorithms=ALGORITHMS)


def refuse(check: str) -> ClientRefused:
    """Return the refusal whose detail is the name of the check."""
    return ClientRefused("client_refused", check)


@dataclass(frozen=True, slots=True, repr=False)
class SignedClaims:
    """Claims whose signature, type, issuer, audience and age are right. Reading one checks its form."""

    values: Mapping[str, Any]
    expires: datetime

    def __repr__(self) -> str:
        return f"SignedClaims(<{len(self.values)} claims>)"

    def text(self, name: str, *, low: int = 1, high: int = 255, pattern: str = "") -> str:
        """Return a claim that is a string of `low` to `high` characters without control characters."""
        value = self.values.get(name)
        if not isinstance(value, str) or not low <= len(value) <= high or _CONTROL.search(value):
            raise refuse(name)
        if pattern and not re.fullmatch(pattern, value):
            raise refuse(name)
        return value

    def exactly(self, name: str, expected: str) -> None:
        """Refuse unless the claim is this string."""
        if self.values.get(name) != expected:
            raise refuse(name)

    def nothing_but(self, allowed: frozenset[str]) -> None:
        """Refuse a claim that we do not know: it may mean a restriction that we would not keep."""
        if not allowed.issuperset(self.values):
            raise refuse("unknown_claim")


def verify(
    message: str,
    *,
    expected_typ: str,
    expected_issuer: str,
    expected_audience: str,
    key_for: Callable[[str], SignatureKey],
    max_age: timedelta,
    now: datetime,
) -> SignedClaims:
    """Return the claims of a message that `expected_issuer` signed for us, now, for this use.

    1. form           three parts, small enough to look at
    2. header         exactly alg, kid, typ
    3. type           an ID token or access token of the same realm is not a request
    4. algorithm      asymmetric and known; "none" and HMAC are not in the list
    5. key            the provider's own, by id, and meant for this algorithm
    6. signature
    7. issuer         who signed is who is asking
    8. audience       us alone: a message for two could be passed on by the other
    9. age            not from the future, not expired, never good for longer than `max_age`

    The caller reads the claims it needs and then takes the jti.

    Raises:
        ClientRefused: the name of the failed check in `detail`.
        ServiceError: the provider's keys cannot be read now.
    """
    if len(message) > MAX_JWS_CHARS or message.count(".") != 2:  # (1)  # noqa: PLR2004
        raise refuse("jws_form")
    header = _json_object(message.split(".", maxsplit=1)[0], check="jws_header")
    if header.keys() != _HEADER or not all(isinstance(value, str) for value in header.values()):  # (2)
        raise refuse("jws_header")
    if header["typ"] != expected_typ:  # (3)
        raise refuse("typ")
    if header["alg"] not in ALGORITHMS:  # (4)
        raise refuse("alg")
    if not 0 < len(header["kid"]) <= _MAX_KID_CHARS:  # (5)
        raise refuse("kid")
    key = key_for(header["kid"])
    if header["alg"] not in key.algorithms:
        raise refuse("alg_of_key")
    try:
        jws.deserialize_compact(message, key.key, registry=_REGISTRY)  # (6)
    except (JoseError, ValueError) as exc:
        raise refuse("signature") from exc
    claims = _json_object(message.split(".")[1], check="jws_payload")
    if claims.get("iss") != expected_issuer:  # (7)
        raise refuse("iss")
    if claims.get("aud") not in (expected_audience, [expected_audience]):  # (8)
        raise refuse("aud")
    return SignedClaims(claims, expires=_check_age(claims, max_age=max_age, now=now))  # (9)


def claimed_issuer(message: str) -> str:
    """Return who a message says it is from, only to know whose keys to try; an empty string if it does not say."""
    if len(message) > MAX_JWS_CHARS or message.count(".") != 2:  # noqa: PLR2004
        raise refuse("jws_form")
    issuer = _json_object(message.split(".")[1], check="jws_payload").get("iss")
    return issuer if isinstance(issuer, str) and is_storable(issuer) else ""


def _check_age(claims: Mapping[str, Any], *, max_age: timedelta, now: datetime) -> datetime:
    expires, issued, not_before = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or expires + LEEWAY <= now:
        raise refuse("exp")
    if issued is not None and (issued > now + LEEWAY or expires - issued > max_age):
        raise refuse("iat")
    if expires - now > max_age + LEEWAY:
        raise refuse("exp_too_far")
    if not_before is not None and not_before > now + LEEWAY:
        raise refuse("nbf")
    return expires + LEEWAY


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**33:
        raise refuse(name)
    return datetime.fromtimestamp(value, tz=UTC)


def _json_object(part: str, *, check: str) -> dict[str, Any]:
    """Decode one part; a name that occurs twice is refused, since two readers could take different ones."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    except (binascii.Error, ValueError, RecursionError) as exc:
        raise refuse(check) from exc
    if not isinstance(value, dict):
        raise refuse(check)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result
