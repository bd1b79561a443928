"""Who was erased, as keyed digests: what every door of a workspace is shut by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedCustomer:
    """One of them; his id is not known."""

    digest: bytes
    since: datetime
    """Aware: nothing that is older is taken up again."""
    lifted: bool
    """He gave a consent with proof since: what is later than `since` is a customer's like any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """All of them."""

    key: str
    """Hexadecimal: a digest is SHA-256 of key, colon and id."""
    customers: tuple[ErasedCustomer, ...]


WhoIsErased = Callable[[], Erased | None]
"""Asked each time tables are opened; None: nobody was ever erased."""
