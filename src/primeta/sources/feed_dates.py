"""When an entry says that it was published: RFC 822, ISO 8601 and what people write instead, in two languages."""

from __future__ import annotations

import calendar
import re
import time
from datetime import UTC, datetime, timedelta, timezone

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""Before it a time is an empty field that some program wrote as zero."""
LONGEST = 100
"""Characters; a longer date is none."""

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "янв": 1, "фев": 2, "мар": 3, "апр": 4, "май": 5, "мая": 5, "июн": 6, "июл": 7, "авг": 8, "сен": 9,
    "окт": 10, "ноя": 11, "дек": 12,
    "jän": 1, "ene": 1, "gen": 1, "fev": 2, "fév": 2, "mär": 3, "abr": 4, "avr": 4, "mai": 5, "mag": 5, "juin": 6,
    "giu": 6, "juil": 7, "lug": 7, "ago": 8, "aoû": 8, "set": 9, "out": 10, "okt": 10, "ott": 10, "dez": 12, "déc": 12,
    "dic": 12,
}  # fmt: skip
_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "BST": 60, "WEST": 60, "IST": 330, "CET": 60, "MET": 60, "MEST": 120, "MEZ": 60,
    "CEST": 120, "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "МСК": 180, "MSD": 240, "SAMT": 240, "YEKT": 300,
    "OMST": 360, "KRAT": 420, "NOVT": 420, "IRKT": 480, "YAKT": 540, "VLAT": 600, "JST": 540, "KST": 540,
    "AST": -240, "AT": -240, "ADT": -180, "EST": -300, "EDT": -240, "ET": -300, "CST": -360, "CDT": -300, "CT": -360,
    "MST": -420, "MDT": -360, "MT": -420, "PST": -480, "PDT": -420, "PT": -480, "AKST": -540, "AKDT": -480,
    "HST": -600,
}  # fmt: skip
"""Minutes east of Greenwich; of names with two meanings the one that RFC 822 gives. Russian ones as since 2014."""

_ISO = re.compile(
    r"(\d{4})(?!\d)(?:-(\d\d?)(?:-(\d\d?))?)?(?:[Tt\s]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d{1,12})?)?)?\s*(.{0,30})\Z"
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[Tt\s]?(\d\d):?(\d\d):?(\d\d)?)?\s*(.{0,30})\Z")
_WORDED = re.compile(
    r"(?:[^\W\d]{2,12}(?:\.?,\s*|\.?\s+))?(\d\d?)(?:st|nd|rd|th)?[\s-]+([^\W\d]{3,12})\.?,?[\s-]+(\d{4}|\d\d)(?:\s?(?:г\.?|года))?"
    r",?(?:\s+(?:в\s+|at\s+)?(\d\d?):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?)?\s*(.{0,30})\Z",
    re.IGNORECASE,
)
_AMERICAN = re.compile(
    r"(?:[^\W\d]{2,12}\.?,?\s+)?([^\W\d]{3,12})\.?\s+(\d\d?)(?:st|nd|rd|th)?,\s*(\d{4})"
    r",?(?:\s+(?:at\s+)?(\d\d?):(\d\d)(?::(\d\d))?)?\s*(.{0,30})\Z",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4}),?(?:\s+(?:в\s+)?(\d\d?):(\d\d)(?::(\d\d))?)?\s*(.{0,30})\Z")
_OFFSET = re.compile(r"(?:UTC|GMT)?\s?([+\-−])(\d\d?):?(\d\d)?(?:\s*\(.{0,20}\))?\Z", re.IGNORECASE)
_HALF = re.compile(r"(am|pm|a\.m\.|p\.m\.)\s*", re.IGNORECASE)


def time_of(said: str, *, parsed: time.struct_time | None = None) -> datetime | None:
    """The time that was said, in UTC; None where it is none.

    Args:
        said: As written. Without a zone it is taken for UTC; a zone that is a name unknown here counts as none said.
        parsed: What feedparser made of it; used for what begins with a word and fits nothing here (Greek, Perforce's
            …). What begins with a number is not taken from it: of `2013-xx-27` it makes a day of the current month.
    """
    said = " ".join(said.split())
    if not said or len(said) > LONGEST:
        return None
    found = _read(said)
    if found is None and parsed is not None and said[0].isalpha():
        try:
            found = datetime.fromtimestamp(calendar.timegm(parsed), tz=UTC)
        except (ValueError, OverflowError, TypeError, OSError):
            return None
    return found if found is not None and found >= EARLIEST else None


def _read(said: str) -> datetime | None:
    if match := _ISO.match(said):
        year, month, day = match[1], match[2] or "1", match[3] or "1"
    elif match := _COMPACT.match(said):
        year, month, day = match[1], match[2], match[3]
    elif match := _DOTTED.match(said):
        day, month, year = match[1], match[2], match[3]
    elif match := _WORDED.match(said):
        day, month, year = match[1], _month(match[2]), match[3]
    elif match := _AMERICAN.match(said):
        month, day, year = _month(match[1]), match[2], match[3]
    else:
        return None
    if not month:
        return None
    hour, minute, second, zone = int(match[4] or 0), int(match[5] or 0), int(match[6] or 0), match[7].strip()
    if half := _HALF.match(zone):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half[1][0] in "pP")
        zone = zone[half.end() :]
    offset = _minutes(zone)
    if offset is None:
        return None
    century = int(year) if len(year) == 4 else int(year) + (2000 if int(year) < 90 else 1900)
    more = timedelta(0)
    if hour == 24 and minute == second == 0:
        hour, more = 0, timedelta(days=1)
    if second == 60:  # a leap second
        second, more = 59, more + timedelta(seconds=1)
    try:
        local = datetime(
            century, int(month), int(day), hour, minute, second, tzinfo=timezone(timedelta(minutes=offset))
        )
        return (local + more).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _month(word: str) -> str:
    word = word.lower()
    return str(_MONTHS.get(word[:3]) or _MONTHS.get(word[:4], ""))


def _minutes(zone: str) -> int | None:
    """Minutes east of Greenwich; None where what stands behind the time is no zone at all."""
    if not zone:
        return 0
    if match := _OFFSET.match(zone):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes > 18 * 60:
            return None
        return minutes if match[1] == "+" else -minutes
    word = zone.split(" ")[0].strip("().").upper().removeprefix("ETC/")
    if word in _ZONES:
        return _ZONES[word]
    return 0 if re.fullmatch(r"\(?[A-Za-zА-я]{1,6}\)?", zone) else None
