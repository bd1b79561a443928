"""A note: a sign of any other origin than the metrics, written down by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from primeta.signals.signal import Direction, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFile:
    """A photo or paper that came with a note; its bytes lie in `raw/notes`, named by their digest."""

    digest: str
    name: str
    """As the person's file was called; for reading only, nothing is written under it."""
    media: str
    """Found out from the bytes."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What was seen, who could have seen it independently, where it stands."""

    id: str
    text: str
    origin: Origin
    subject: str
    source: str
    happened_at: date
    logged_at: datetime
    by: str
    url: str = ""
    direction: Direction = "up"
    files: tuple[NoteFile, ...] = ()
