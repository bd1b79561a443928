"""When a source is asked next: by its period, a little spread, and later and later while it fails."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from primeta.sources.records import Source, Trouble

FIRST_RETRY = timedelta(minutes=15)
SPREAD = 0.1
"""Sources of one period are asked up to this share of it earlier or later, not all in the same minute."""
PATIENCE = timedelta(days=1)
"""A source that keeps failing is asked at least so often, or by its own period where that is longer."""
DOUBTS = 3
"""Times in a row that what came must be unreadable before a source that was read before is given up: sites show pages
of their own for a while."""


def next_time(source: Source, *, now: datetime, failures: int, trouble: Trouble | None) -> datetime:
    """The next turn of a source that was asked at `now`.

    Args:
        failures: In a row; 0 where it went well.
    """
    if not failures:
        return now + source.every * (1 + SPREAD * _dice(source.name, now))
    longest = max(source.every, PATIENCE)
    wait = min(min(FIRST_RETRY, source.every) * 2 ** min(failures - 1, 20), longest)
    asked = trouble.values.get("seconds") if trouble is not None and trouble.code == "busy" else None
    wait *= 1 + SPREAD * _dice(source.name, now)
    return now + max(wait, timedelta(seconds=float(asked) if isinstance(asked, int | float) else 0.0))


def is_given_up(trouble: Trouble, *, failures: int, read_before: bool) -> bool:
    """Whether trying again is of no use until a person has acted."""
    if not trouble.permanent:
        return False
    of_reading = trouble.values.get("reason") == "reading" or trouble.code not in FETCHING
    return not (of_reading and read_before) or failures >= DOUBTS


FETCHING = frozenset(("gone", "forbidden", "bad-address"))
"""What a site says of itself. That it leads inward may be a hotel's gateway: seen once, it ends nothing."""


def _dice(name: str, now: datetime) -> float:
    """−1 … 1, the same for one source and moment, so that a run can be repeated."""
    digest = hashlib.sha256(f"{name}\0{now.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**31 - 1
