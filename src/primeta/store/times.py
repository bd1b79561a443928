"""Times in the state are UTC without a zone, on every database alike."""

from __future__ import annotations

from datetime import UTC, datetime


def naive(moment: datetime) -> datetime:
    """For storing; a time without a zone is refused, since nobody knows what it means."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


def aware(moment: datetime) -> datetime:
    """As stored, back with its zone."""
    return moment.replace(tzinfo=UTC)
