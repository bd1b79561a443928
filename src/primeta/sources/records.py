"""Sources and what they bring: a declared source, a thing as it was fetched, a document as it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from primeta.facts import Provenance

Reader = Literal["feed", "telegram", "page", "pdf", "table", "voices", "mail", "notes"]
"""How a source is read: RSS, Atom or JSON feed; Telegram's export or public preview; an article or a page that is
watched for change; PDF; CSV, Excel or Parquet of tickets, reviews and NPS; the workspace's `voices`; mbox or eml;
what people wrote down by hand."""

SourceKind = Literal[
    "industry_report", "platform", "law", "research", "conference", "social", "agency", "competitor", "community",
    "support", "reviews", "nps", "interviews", "focus_group",
]  # fmt: skip

Group = Literal["voice", "outside", "competitor", "regulator", "hand"]
"""The origin of DESIGN that a kind of source counts as; `signals.signal.Origin` less `metric`."""

GROUP_OF: Mapping[SourceKind, Group] = {
    "industry_report": "outside",
    "platform": "outside",
    "law": "regulator",
    "research": "outside",
    "conference": "outside",
    "social": "outside",
    "agency": "outside",
    "competitor": "competitor",
    "community": "outside",
    "support": "voice",
    "reviews": "voice",
    "nps": "voice",
    "interviews": "voice",
    "focus_group": "voice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`[sources.NAME]`: where to look, how often, whose voice it is and how far it is trusted."""

    name: str
    reader: Reader
    kind: SourceKind
    at: str
    """A URL, or a file, folder or glob relative to the workspace."""
    owner: str
    """Who speaks here: channels of one owner are one origin. Default: the site, or the channel."""
    trust: float = 0.5
    """0–1, by a person; orders the reading list, never multiplies evidence."""
    every: timedelta = timedelta(hours=6)
    language: str = ""
    """Empty: found out text by text."""
    allow: tuple[str, ...] = ()
    """Hosts that may be fetched although their address is private; none by default."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Of tables: canonical → theirs (`text`, `said_at`, `customer_id`, `score`, `language`, `url`, attributes)."""
    select: str = ""
    """Of pages: CSS selector of the part that is watched; empty: the article."""
    changes: bool = False
    """Of pages: every change against the last version is a document, instead of the article itself."""
    paused: bool = False

    @property
    def group(self) -> Group:
        return GROUP_OF[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A thing as it came: the bytes lie in `raw/`, named by their digest."""

    source: str
    digest: str
    """SHA-256 of the bytes, in hexadecimal."""
    at: datetime
    """When it was fetched."""
    url: str
    """Where it came from in the end, after redirects; a path for files."""
    media: str
    """Its type as told or found out: `application/rss+xml`, `text/html`, `application/pdf` …"""
    size: int
    etag: str = ""
    modified: str = ""
    """`Last-Modified` as it was sent."""
    encoding: str = ""
    """As the server told it; readers look into the bytes too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text that somebody published, or one thing that a customer said."""

    id: str
    """`d-` and 16 hexadecimal digits of SHA-256 over source and the native id (else the link, else the text): the
    same entry read twice, or with better code, is the same document."""
    source: str
    owner: str
    """Of the channel, or of whom it forwards."""
    kind: SourceKind
    published_at: datetime | None
    """Aware, UTC; None where nobody said: then it counts from `seen_at` and says so."""
    seen_at: datetime
    title: str
    text: str
    """Plain text, paragraphs by line breaks; markup is gone, links are in `links`."""
    url: str = ""
    author: str = ""
    language: str = ""
    """`ru`, `en`, another ISO 639-1 code where it is sure, else empty."""
    links: tuple[str, ...] = ()
    """What it cites, canonical (no tracking parameters), its own address left out."""
    forwarded_from: str = ""
    """The owner of the original, where the text says that it is forwarded or quoted whole."""
    customer_id: str = ""
    """Of voices only; never shown, joined to facts inside."""
    score: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of voices: segment columns; of feeds: categories."""
    raw: str = ""
    """Digest of the bytes that it was read from."""
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a fetch or a part of what came was not read: a code for `show`, and what a person may do about it."""

    code: str
    """Of fetching (words in `fetching.words`): `bad-address`, `refused-address`, `unreachable`, `certificate`, `robots`,
    `busy`, `forbidden`, `not-found`, `gone`, `server-error`, `bad-answer`, `redirects`, `cut-short`.
    Of fetching or reading: `too-large`, `too-slow`, `bomb`, `unreadable`. Of reading: `not-a-feed`,
    `no-date`, `disk-full` …"""
    values: Mapping[str, object] = field(default_factory=dict)
    permanent: bool = False
    """Trying again changes nothing: a person must act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one thing that came reads as."""

    documents: tuple[Document, ...] = ()
    """In the order in which they stand there, each once."""
    troubles: tuple[Trouble, ...] = ()
    """Parts that could not be read; the rest was."""
    follow: tuple[str, ...] = ()
    """Addresses that belong to it and are to be fetched next: older posts of a channel, the PDF behind a page."""
    position: Mapping[str, object] = field(default_factory=dict)
    """Where reading of a growing file goes on next time (JSON); empty: from the start. `more`: true where the reader
    stopped for now; call it again at once with this position."""
