"""A calendar feed of due reviews and of the ends of experiments (RFC 5545).

An entry keeps its UID for ever: when its day moves, SEQUENCE rises and the reader's calendar moves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

Kind = Literal["review", "experiment"]
ALARMS = (timedelta(hours=-15), timedelta(hours=9))
"""From the midnight on which a day begins: at 9 on the day before and at 9 on the day itself."""
REFRESH = timedelta(hours=6)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""RFC 5545 §3.1 allows no control characters in a text but line ends and tabs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One day in the feed; the words are already in the reader's language."""

    kind: Kind
    id: str
    """Of the trend or experiment; the entry's UID follows from it."""
    day: date
    title: str
    text: str = ""
    url: str = ""
    sequence: int = 0
    """How many times it was changed."""
    changed_at: datetime


def feed(entries: Iterable[Entry], *, name: str, feed_id: str) -> bytes:
    """The feed as a file: UTF-8, lines of at most 75 octets that end in CRLF.

    Args:
        name: What calendars call it.
        feed_id: Tells this workspace's entries from those of any other; never changes.
    """
    from icalendar import Alarm, Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//Primeta//Reviews//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for key in ("name", "x-wr-calname"):
        calendar.add(key, _line(name))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for entry in sorted(entries, key=lambda entry: (entry.day, entry.kind, entry.id)):
        event = Event()
        event.add("uid", uid(entry, feed_id))
        # Without a request that it answers, DTSTAMP is the time of the last change (§3.8.7.2).
        event.add("dtstamp", entry.changed_at.astimezone(UTC).replace(microsecond=0))
        event.add("last-modified", entry.changed_at.astimezone(UTC).replace(microsecond=0))
        event.add("sequence", entry.sequence)
        event.add("dtstart", entry.day)
        event.add("dtend", entry.day + timedelta(days=1))
        event.add("summary", _line(entry.title))
        if entry.text:
            event.add("description", _clean(entry.text))
        if entry.url:
            event.add("url", entry.url)
        event.add("transp", "TRANSPARENT")
        event.add("categories", [entry.kind.upper()])
        for before in ALARMS:
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", _line(entry.title))
            alarm.add("trigger", before)
            event.add_component(alarm)
        calendar.add_component(event)
    return calendar.to_ical()


def uid(entry: Entry, feed_id: str) -> str:
    """Stable for the entry's whole life and unique among all workspaces (RFC 7986 §5.3)."""
    return f"{entry.kind}-{re.sub(r'[^A-Za-z0-9_-]', lambda found: f'={ord(found[0]):x}', entry.id)}@{feed_id}.primeta"


def _clean(text: str) -> str:
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _line(text: str) -> str:
    return " ".join(_clean(text).split())
