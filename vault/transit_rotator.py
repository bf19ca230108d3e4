"""New versions of transit keys, and values moved to them inside the server: no plaintext comes out.

Rules:
 * The policy facestep-rotator is enough: it re-wraps, and decrypts nothing.
 * An older version that is forgotten is archived: an admin can lower `min_decryption_version` again.

Not here: which values there are (plugin/rotation), in which order it is done (rotation.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.interface import Ciphertext, KeyVersions, Purpose, ToOpen, VaultError, WrongContext
from vault.transit_batch import ask_many, asked_to_open, batches, ciphertext_of, is_sealed, not_opened
from vault.transit_keys import key_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault.transit_client import VaultClient


class TransitRotator:
    """A Rotator (interface.py) on a Vault or OpenBao server."""

    one_key_for_all = False

    def __init__(self, client: VaultClient) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"TransitRotator({self._client.url!r}, mount={self._client.mount!r})"

    def versions(self, purpose: Purpose) -> KeyVersions:
        """Return which versions of the key there are."""
        found = self._client.data("GET", self._path(purpose), action="read the key")
        try:
            return KeyVersions(newest=int(found["latest_version"]), oldest=int(found["min_decryption_version"]))
        except (KeyError, TypeError, ValueError) as exc:
            raise VaultError(f"read the key: the answer of {self._client.url} is not understood") from exc

    def add_version(self, purpose: Purpose) -> KeyVersions:
        """Make a new version. Asked once: a second try could make two."""
        self._client.call("POST", f"{self._path(purpose)}/rotate", {}, action="rotate the key", once=True)
        return self.versions(purpose)

    def forget_older(self, purpose: Purpose, *, than: int) -> None:
        """Raise min_decryption_version, never lower it."""
        if than <= self.versions(purpose).oldest:
            return
        body = {"min_decryption_version": than}
        self._client.call("POST", f"{self._path(purpose)}/config", body, action="raise min_decryption_version")

    def rewrap_many(self, items: Sequence[ToOpen]) -> list[Ciphertext | WrongContext]:
        """Return each value under the newest version, or why it does not open; some hundreds in a call."""
        changed = WrongContext("the sealed value was not made by transit, or was changed")
        made: list[Ciphertext | WrongContext] = [changed] * len(items)
        for purpose, places in batches(items):
            asked = [place for place in places if is_sealed(items[place].sealed)]
            if not asked:
                continue
            answers = ask_many(self._client, "rewrap", purpose, [asked_to_open(items[place]) for place in asked])
            for place, answer in zip(asked, answers, strict=True):
                error = str(answer.get("error") or "")
                made[place] = not_opened(error) if error else ciphertext_of(answer, url=self._client.url)
        return made

    def mark(self, version: int) -> str:
        """Return what every value begins with that this version sealed."""
        return f"vault:v{version}:"

    def _path(self, purpose: Purpose) -> str:
        return f"{self._client.mount}/keys/{key_name(purpose)}"
