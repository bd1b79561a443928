"""The one door to the outside: every byte that Primeta fetches over HTTP comes through `Fetcher.fetch`.

Sources:
    RFC 9110, HTTP Semantics: §8.8 validators, §10.2.3 Retry-After, §13 conditional requests, §15 status codes.
    RFC 6585 §4 (429). RFC 9309 (robots.txt; see `politeness`). OWASP SSRF (see `address`).
"""

from __future__ import annotations

import contextlib
import hashlib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urljoin

import numpy as np

from primeta.sources.fetching.address import Guard, Resolver, Target, read_address
from primeta.sources.fetching.politeness import AGENT, ROBOTS_BYTES, Robots, Turns
from primeta.sources.fetching.records import LIMITS, NOTHING, Fetched, Known, Limits, NotModified, Stop, stop
from primeta.sources.fetching.wire import Answer, exchange, tls_context
from primeta.sources.records import Raw, Reader, Source, Trouble

_ACCEPT: Mapping[Reader, str] = {
    "feed": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.9, application/json;q=0.8, */*;q=0.5",
    "pdf": "application/pdf, */*;q=0.5",
    "page": "text/html, application/xhtml+xml, */*;q=0.5",
    "telegram": "text/html, */*;q=0.5",
}
_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT_REDIRECTS = (301, 308)
_ROBOTS_SECONDS = 20.0
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hop:
    """The last answer of a chain of redirects."""

    target: Target
    answer: Answer
    moved_to: str


class Fetcher:
    """Fetches politely, within limits, and only from where it may.

    Args:
        clock: Seconds that never go back; `sleep` waits; `rng` spreads the waits. Given, so that tests do not wait.
        resolver: Name → addresses; default: the system's.
        spacing_seconds: Least time between two requests to one host.
        contact: An address or page that a site's owner can turn to; goes into User-Agent.
        proxy: A proxy that the workspace names. None is ever taken from the environment. A proxy resolves names itself:
            written addresses are still refused here, names are then for the proxy to guard.
        robots_folder: Where robots.txt answers are kept for a day; None: in memory only.
        tls: Makes the context for certificates; default: the system's trust and the well-known list.
    """

    def __init__(
        self,
        *,
        rng: np.random.Generator,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        resolver: Resolver | None = None,
        spacing_seconds: float = 2.0,
        contact: str = "",
        proxy: str = "",
        robots_folder: Path | None = None,
        tls: Callable[[], ssl.SSLContext] = tls_context,
    ) -> None:
        self._rng = rng
        self._clock = clock
        self._sleep = sleep
        self._guard = Guard(resolver)
        self._turns = Turns(clock=clock, sleep=sleep, spacing_seconds=spacing_seconds)
        self._rules: dict[tuple[str, ...], Robots] = {}
        self._proxy = proxy
        self._robots_folder = robots_folder
        self._make_tls = tls
        self._agent = _agent(contact)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._make_tls()

    def fetch(
        self,
        source: Source,
        *,
        now: datetime,
        url: str = "",
        known: Known = NOTHING,
        limits: Limits = LIMITS,
    ) -> Fetched | NotModified | Trouble:
        """Fetch a source's address, or an address that it led to.

        Args:
            now: Aware; when this happens, for the record and for Retry-After given as a date.
            url: Where to go instead of `source.at`: the article of an entry, the next page.
            known: What the last answer said of itself.
        Returns:
            The whole answer; or that nothing changed; or what went wrong, as a code with values. Nothing is raised for
            what a server or a network does.
        """
        address = url or source.at
        # A feed's own address is named by a person; an article that a feed links to is not.
        named = source.reader == "feed" and address == source.at
        attempt = 1
        while True:
            try:
                return self._attempt(source, address, named, now, known, limits)
            except Stop as ended:
                if not ended.again or attempt >= limits.attempts:
                    return ended.trouble
                pause = ended.wait_seconds
                if pause is None:
                    pause = limits.back_off_seconds * 2 ** (attempt - 1) * self._rng.uniform(0.5, 1.5)
                    self._sleep(pause)
                elif pause > limits.longest_wait_seconds:
                    return ended.trouble
                # With Retry-After the host is held, so the next turn waits by itself.
                attempt += 1

    def _attempt(
        self, source: Source, address: str, named: bool, now: datetime, known: Known, limits: Limits
    ) -> Fetched | NotModified:
        headers = {"User-Agent": self._agent, "Accept": _ACCEPT.get(source.reader, "*/*")}
        robots = self._robots(source.allow)
        hop = self._follow(
            read_address(address),
            source.allow,
            headers=headers,
            known=known,
            limits=limits,
            before=lambda target: robots.check(
                target,
                named_by_person=named,
                now=now,
                ask=lambda place: self._ask_robots(place, source.allow, limits),
            ),
        )
        return self._judge(source, hop, now, known)

    def _follow(
        self,
        target: Target,
        allow: tuple[str, ...],
        *,
        headers: Mapping[str, str],
        known: Known,
        limits: Limits,
        before: Callable[[Target], float],
        cut: bool = False,
    ) -> _Hop:
        left = limits.total_seconds
        seen = {target.url}
        moved_to = ""
        permanent = True
        while True:
            # Guarded before robots.txt is asked for: that is a request too.
            self._guard.check_written(target, allow)
            delay = before(target)
            self._turns.wait(target.host, crawl_delay=delay, longest_seconds=limits.longest_wait_seconds)
            began = self._clock()
            # Resolved after the wait, and once: these addresses and no others are connected to.
            addresses = (
                ()
                if self._proxy
                else self._guard.check(target, allow, seconds=min(limits.connect_seconds, left))
            )
            answer = exchange(
                target,
                addresses,
                headers={**headers, **_conditions(target, known)},
                limits=limits,
                seconds=left - (self._clock() - began),
                clock=self._clock,
                tls=lambda: self._tls,
                proxy=self._proxy,
                cut=cut,
            )
            left -= self._clock() - began
            where = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not where:
                return _Hop(target=target, answer=answer, moved_to=moved_to)
            if len(seen) > limits.redirects:
                raise stop("redirects", host=target.host, limit=limits.redirects)
            following = read_address(_join(target.url, where))
            if following.url in seen:
                raise stop("redirects", host=target.host, reason="circle")
            seen.add(following.url)
            # The hint ends at the first redirect that is not for good, and never gives up TLS.
            permanent = permanent and answer.status in _PERMANENT_REDIRECTS
            permanent = permanent and not (target.scheme == "https" and following.scheme == "http")
            if permanent:
                moved_to = following.url
            target = following

    def _judge(self, source: Source, hop: _Hop, now: datetime, known: Known) -> Fetched | NotModified:
        answer, url = hop.answer, hop.target.url
        etag = answer.headers.get("etag", "")
        modified = answer.headers.get("last-modified", "")
        if answer.status in (200, 203):
            media, encoding = _media(answer.headers.get("content-type", ""))
            raw = Raw(
                source=source.name,
                digest=hashlib.sha256(answer.content).hexdigest(),
                at=now.astimezone(UTC),
                url=url,
                media=media,
                size=len(answer.content),
                etag=etag,
                modified=modified,
                encoding=encoding,
            )
            return Fetched(raw=raw, content=answer.content, moved_to=hop.moved_to)
        if answer.status == 304 and _conditions(hop.target, known):
            # §15.4.5: what a 304 leaves out stays as it was.
            return NotModified(
                url=url, etag=etag or known.etag, modified=modified or known.modified, moved_to=hop.moved_to
            )
        raise self._refusal(hop, now)

    def _refusal(self, hop: _Hop, now: datetime) -> Stop:
        status, host = hop.answer.status, hop.target.host
        if status in _AGAIN:
            ended = stop(
                "busy" if status in (429, 503) else "server-error", again=True, host=host, status=status
            )
            seconds = _retry_after(hop.answer.headers.get("retry-after", ""), now)
            if seconds is not None:
                self._turns.hold(host, seconds)
                ended.wait_seconds = seconds
                ended.trouble = replace(
                    ended.trouble, values={**ended.trouble.values, "seconds": round(seconds)}
                )
            return ended
        codes = {401: "forbidden", 403: "forbidden", 404: "not-found", 410: "gone", 451: "forbidden"}
        code = codes.get(status, "server-error" if status >= 500 else "bad-answer")
        return stop(code, permanent=status in (401, 410, 451), host=host, status=status, url=hop.target.url)

    def _robots(self, allow: tuple[str, ...]) -> Robots:
        """Robots of each set of allowed hosts apart: what one source may reach says nothing for another."""
        if allow not in self._rules:
            # Only what the open internet answered is kept on disk; it is the same for every source.
            folder = None if allow else self._robots_folder
            self._rules[allow] = Robots(folder=folder)
        return self._rules[allow]

    def _ask_robots(self, target: Target, allow: tuple[str, ...], limits: Limits) -> Answer | None:
        limits = replace(
            limits, size_bytes=ROBOTS_BYTES, total_seconds=min(limits.total_seconds, _ROBOTS_SECONDS)
        )
        try:
            return self._follow(
                target,
                allow,
                headers={"User-Agent": self._agent, "Accept": "text/plain, */*;q=0.5"},
                known=NOTHING,
                limits=limits,
                before=lambda _: 0.0,
                cut=True,
            ).answer
        except Stop as ended:
            trouble = ended.trouble
            # What stands before the page just as well is told as what it is, not as a matter of robots.txt.
            same_host = trouble.values.get("host") == target.host
            if trouble.code == "busy" or (same_host and trouble.code in ("refused-address", "certificate")):
                raise
            if same_host and trouble.code == "unreachable" and trouble.values.get("reason") != "broken-off":
                raise
            # Redirects without end count as "unavailable" (§2.3.1.2), which opens; all else as "unreachable".
            if trouble.code == "redirects":
                return Answer(status=404, headers={}, content=b"")
            return None


def _agent(contact: str) -> str:
    try:
        number = version("primeta")
    except PackageNotFoundError:
        number = "0"
    words = "".join(sign for sign in contact if sign.isascii() and sign.isprintable())
    return f"{AGENT}/{number}" + (f" (+{words})" if words else "")


def _conditions(target: Target, known: Known) -> dict[str, str]:
    if known.url and not _is_at(known.url, target):
        return {}
    wanted = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
    return {
        name: value
        for name, value in wanted.items()
        # They came from a server and go into a header: nothing that could end the line.
        if value and all(0x20 <= ord(sign) <= 0xFF and ord(sign) != 0x7F for sign in value)
    }


def _is_at(url: str, target: Target) -> bool:
    try:
        return read_address(url).url == target.url
    except Stop:
        return False


def _join(base: str, where: str) -> str:
    # Headers come as Latin-1; a Location in raw UTF-8 is common and means UTF-8.
    with contextlib.suppress(UnicodeError):
        where = where.encode("latin-1").decode("utf-8")
    try:
        return urljoin(base, where)
    except ValueError:
        raise stop("bad-address", permanent=True, url=where[:300], reason="host") from None


def _media(told: str) -> tuple[str, str]:
    """`text/html; charset=UTF-8` → (`text/html`, `utf-8`)."""
    message = Message()
    message["content-type"] = told.replace("\r", " ").replace("\n", " ") or "application/octet-stream"
    charset = message.get_content_charset("")
    return message.get_content_type(), charset if isinstance(charset, str) else ""


def _retry_after(told: str, now: datetime) -> float | None:
    text = told.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), 30 * 86_400))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), 30 * 86_400.0)
