"""A note: a sign of any other origin than the metrics, written down by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from primeta.signals.signal import Direction, Origin


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
