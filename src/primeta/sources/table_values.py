"""What stands in a cell: a time in any of the usual spellings, a score, a text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from primeta.sources.feed_dates import EARLIEST, time_of

DayOrder = Literal["day", "month"]
"""Which comes first in `03/04/2026`."""

_SLASHED = re.compile(
    r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d\d)(?:,?[\sT]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*([AaPp])?\.?[Mm]?\.?)?\s*"
)
_ZONED = re.compile(r"(?:[Zz]|[A-Z]{2,4}|МСК|[+\-−]\d\d:?\d\d)\s*$")
_ISO = re.compile(r"(\d{4})[-./](\d\d?)[-./](\d\d?)(?:[T\s]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s*$")
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_SERIALS = (20_000.0, 80_000.0)
"""Days of Excel that are dates: 1954 to 2119."""


def day_order(values: Sequence[Any], *, language: str) -> DayOrder:
    """What comes first in dates with slashes: as shows by a number above 12, else as is usual in the language."""
    firsts, seconds = [0], [0]
    for value in values:
        match = _SLASHED.match(str(value).strip()) if isinstance(value, str) else None
        if match is not None:
            firsts.append(int(match[1]))
            seconds.append(int(match[2]))
    if max(firsts) > 12:
        return "day"
    if max(seconds) > 12:
        return "month"
    return "month" if language == "en" else "day"


def when_of(value: Any, *, zone: ZoneInfo, order: DayOrder) -> datetime | None:
    """The time in a cell, in UTC; a day alone is its midnight; None where it is none.

    Args:
        value: As a program wrote it: a text, a time, an Excel serial, Unix seconds or milliseconds.
        zone: Of times without one.
    """
    try:
        found = _when(value, zone, order)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and found >= EARLIEST else None


def _when(value: Any, zone: ZoneInfo, order: DayOrder) -> datetime | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=zone).astimezone(UTC)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _of_number(float(value), zone)
    written = " ".join(str(value).split())
    if not written:
        return None
    if re.fullmatch(r"\d{5}(?:[.,]\d+)?|\d{10}(?:\.\d+)?|\d{13}", written):
        return _of_number(float(written.replace(",", ".")), zone)
    if match := _ISO.fullmatch(written):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    if (match := _SLASHED.fullmatch(written)) is not None:
        first, second = int(match[1]), int(match[2])
        day, month = (first, second) if order == "day" or "." in written[:3] else (second, first)
        if month > 12 >= day:
            day, month = month, day
        year = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
        hour = int(match[4] or 0)
        if match[7]:
            hour = hour % 12 + 12 * (match[7].lower() == "p")
        local = datetime(year, month, day, hour, int(match[5] or 0), int(match[6] or 0), tzinfo=zone)
        return local.astimezone(UTC)
    found = time_of(written)
    if found is None or _ZONED.search(written):
        return found
    return found.replace(tzinfo=zone).astimezone(UTC)


def _of_number(number: float, zone: ZoneInfo) -> datetime | None:
    if not math.isfinite(number):
        return None
    if _SERIALS[0] <= number <= _SERIALS[1]:
        local = _EPOCH + timedelta(seconds=round(number * 86_400))  # of the clock on the wall
        return local.replace(tzinfo=zone).astimezone(UTC)
    if 1e9 <= number < 1e10:
        return datetime.fromtimestamp(number, tz=UTC)
    if 1e12 <= number < 1e13:
        return datetime.fromtimestamp(number / 1_000, tz=UTC)
    return None


def text_of(value: Any) -> str:
    """A cell as text: an integral float without its ".0", unknown as nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(value).strip()
    return "" if text.lower() in ("null", "nan", "none", "n/a", "#n/a") else text


def number_of(value: Any) -> float | None:
    """The score in a cell: `4`, `4,5`, `5/5`, `5 из 5`, `★★★★☆`, `10 - Definitely`; None where there is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    written = str(value).strip()
    if stars := written.count("★") + written.count("⭐"):
        return float(stars)
    match = re.match(r"([-−]?\d{1,6}(?:[.,]\d{1,6})?)(?!\d)", written)
    return float(match[1].replace(",", ".").replace("−", "-")) if match else None
