"""Keyed hashes of one workspace: pseudonyms to show, digests by which the erased and known events are recognised."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property

KEY_BYTES = 32
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that a pseudonym can be read out on the telephone."""


def new_secret() -> bytes:
    return os.urandom(KEY_BYTES)


@dataclass(frozen=True)
class Keys:
    """All keys of a workspace, derived from its one secret; who has not the secret cannot go from a digest back.

    The secret lies in the state, beside what it protects: it guards what leaves the workspace (pages, logs, exports,
    answers of the API) and what is left after an erasure, not the database itself.
    """

    secret: bytes

    def derived(self, purpose: str) -> bytes:
        """A key of its own for one purpose: `pseudonym`, `suppression`, `links` …"""
        return hashlib.blake2b(purpose.encode(), key=self.secret, digest_size=KEY_BYTES).digest()

    @cached_property
    def _events(self) -> bytes:
        return self.derived("events")

    @cached_property
    def _pseudonyms(self) -> bytes:
        return self.derived("pseudonym")

    @cached_property
    def _suppressions(self) -> bytes:
        return self.derived("suppression")

    def event_digest(self, key: str) -> bytes:
        """16 bytes by which an event that was told before is recognised, also after its erasure."""
        return hashlib.blake2b(_bytes(key), key=self._events, digest_size=16).digest()

    @cached_property
    def suppression_key(self) -> str:
        """In hexadecimal: what stands before an id when `suppression_digest` is worked out."""
        return self._suppressions.hex()

    def suppression_digest(self, customer_id: str) -> bytes:
        """32 bytes by which an erased customer is recognised if he comes up again.

        SHA-256 of key, colon and id: what any engine works out over a table as `sha256(key || ':' || id)`.
        """
        return hashlib.sha256(self.suppression_key.encode() + b":" + _bytes(customer_id)).digest()

    def pseudonym(self, customer_id: str) -> str:
        """What pages, logs and the API show instead of an id: `C-7F3K-9Q2M-XD4T` (60 bits: collisions among 10
        million customers have a probability of 4 in 100,000); empty for nobody."""
        if not customer_id:
            return ""
        number = int.from_bytes(
            hashlib.blake2b(_bytes(customer_id), key=self._pseudonyms, digest_size=8).digest(), "big"
        )
        letters = "".join(_LETTERS[(number >> (5 * place)) & 31] for place in range(12))
        return f"C-{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
