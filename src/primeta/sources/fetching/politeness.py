"""Being a good guest: space between requests to a host, and what its robots.txt asks for.

Source:
    RFC 9309, Robots Exclusion Protocol (2022): §2.3.1 what an answer for robots.txt means, §2.4 caching, §2.5 size.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from primeta.sources.fetching.address import Target
from primeta.sources.fetching.records import stop

if TYPE_CHECKING:
    from protego import Protego

AGENT = "Primeta"
"""The product token that a robots.txt may name."""
DAY = timedelta(days=1)
UNREACHABLE = timedelta(hours=1)
"""A robots.txt that could not be had is asked for again after this long."""
ROBOTS_BYTES = 512 * 2**10
"""RFC 9309 §2.5 wants at least 500 KiB read; the rest is cut."""

_MEMORY_BYTES = 4 * 2**20
_MEMORY_ORIGINS = 1_000
_MEMORY_HOSTS = 10_000


class Turns:
    """Whose turn it is, per host, over all sources of the process: one clock, one line of waiting."""

    def __init__(
        self, *, clock: Callable[[], float], sleep: Callable[[float], None], spacing_seconds: float = 2.0
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._spacing = spacing_seconds
        self._free: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, host: str, *, crawl_delay: float = 0.0, longest_seconds: float) -> None:
        """Sleep until `host` may be asked, and take the turn.

        Raises:
            Stop: `busy` with `seconds` where the turn comes later than `longest_seconds`; the turn is not taken.
        """
        with self._lock:
            now = self._clock()
            start = max(now, self._free.get(host, now))
            if start - now > longest_seconds:
                raise stop("busy", host=host, seconds=round(start - now))
            self._free[host] = start + max(self._spacing, crawl_delay)
            if len(self._free) > _MEMORY_HOSTS:
                self._free = {name: free for name, free in self._free.items() if free > now}
        if start > now:
            self._sleep(start - now)

    def hold(self, host: str, seconds: float) -> None:
        """The host asked to be left alone for so long: every source waits."""
        with self._lock:
            self._free[host] = max(self._free.get(host, 0.0), self._clock() + seconds)


class _RobotsAnswer(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def content(self) -> bytes: ...


Ask = Callable[[Target], _RobotsAnswer | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    parsed: Protego | None
    """None: everything is open, or (`shut`) nothing is known and so nothing may be asked for."""
    names_us: bool
    until: datetime
    size: int = 0
    """Bytes of text that were parsed; in memory they take up to forty times as much."""
    shut: bool = False


@dataclass(slots=True, kw_only=True)
class Robots:
    """The robots.txt of each origin, kept a day; in `folder` over the end of the process, where there is one."""

    folder: Path | None = None
    _known: dict[str, _Rules] = field(default_factory=dict)

    def check(self, target: Target, *, named_by_person: bool, now: datetime, ask: Ask) -> float:
        """Seconds between requests that the host asks for (0: says nothing).

        Args:
            named_by_person: A feed whose address a person gave, not a page found by following links. Feed readers ask
                for such on the person's behalf and are no crawlers in the sense of RFC 9309; so rules for "*" do not
                bind, and those that name Primeta do.
            now: Aware.
            ask: Fetches robots.txt: the answer in the end (redirects followed), or None where it could not be had.
        Raises:
            Stop: `robots`; with `reason` "unreachable" where robots.txt itself could not be had.
        """
        rules = self._rules(target, now, ask)
        if rules.shut:
            if named_by_person:
                return 0.0
            raise stop("robots", host=target.host, reason="unreachable")
        if rules.parsed is None:
            return 0.0
        binds = rules.names_us or not named_by_person
        if binds and not rules.parsed.can_fetch(target.url, AGENT):
            raise stop("robots", host=target.host, url=target.url, reason="rule")
        return min(float(rules.parsed.crawl_delay(AGENT) or 0.0), DAY.total_seconds())

    def _rules(self, target: Target, now: datetime, ask: Ask) -> _Rules:
        known = self._known.get(target.origin) or self._recall(target.origin)
        if known is None or now >= known.until:
            place = Target(scheme=target.scheme, host=target.host, port=target.port, path="/robots.txt")
            answer = ask(place)
            known = _read(answer, now, known)
            if answer is not None:
                self._remember(target.origin, answer, now)
        self._known.pop(target.origin, None)
        self._known[target.origin] = known
        # Strangers choose how many origins there are and how long their rules: the oldest go first.
        size = sum(rules.size for rules in self._known.values())
        while len(self._known) > 1 and (size > _MEMORY_BYTES or len(self._known) > _MEMORY_ORIGINS):
            size -= self._known.pop(next(iter(self._known))).size
        return known

    def _path(self, origin: str) -> Path | None:
        return self.folder and self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.json"

    def _recall(self, origin: str) -> _Rules | None:
        path = self._path(origin)
        if path is None:
            return None
        try:
            record = json.loads(path.read_text("utf-8"))
            at = datetime.fromisoformat(record["at"])
            answer = _Remembered(status=int(record["status"]), content=str(record["text"]).encode())
            return _read(answer, at, None) if record["origin"] == origin and at.tzinfo is not None else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # a cache: what cannot be read is asked for again

    def _remember(self, origin: str, answer: _RobotsAnswer, now: datetime) -> None:
        path = self._path(origin)
        if path is None or not (_is_given(answer) or _is_open(answer)):
            return
        text = answer.content[:ROBOTS_BYTES].decode("utf-8", errors="replace") if _is_given(answer) else ""
        record = {"origin": origin, "at": now.isoformat(), "status": answer.status, "text": text}
        part = path.with_suffix(f".{os.getpid()}.part")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(record), "utf-8")
            part.replace(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    status: int
    content: bytes


def _is_given(answer: _RobotsAnswer) -> bool:
    return 200 <= answer.status < 300


def _is_open(answer: _RobotsAnswer) -> bool:
    # §2.3.1.3: "unavailable" (4xx, too many redirects) opens everything. 429 is a server that is busy.
    return 300 <= answer.status < 500 and answer.status != 429


def _read(answer: _RobotsAnswer | None, now: datetime, known: _Rules | None) -> _Rules:
    if answer is not None and _is_given(answer):
        from protego import Protego

        text = answer.content[:ROBOTS_BYTES].decode("utf-8-sig", errors="replace")
        names_us = re.search(rf"(?im)^\s*user-agent\s*:\s*{AGENT}\b", text) is not None
        return _Rules(parsed=Protego.parse(text), names_us=names_us, until=now + DAY, size=len(text))
    if answer is not None and _is_open(answer):
        return _Rules(parsed=None, names_us=False, until=now + DAY)
    # §2.3.1.4: "unreachable" (5xx, no connection) shuts everything; §2.4: an older copy may go on being used.
    if known is not None and not known.shut:
        return replace(known, until=now + UNREACHABLE)
    return _Rules(parsed=None, names_us=False, until=now + UNREACHABLE, shut=True)
