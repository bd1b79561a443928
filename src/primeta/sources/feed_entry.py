"""What a feed of any format says, before it becomes anybody's documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

MOST_ENTRIES = 5_000
"""Of one feed; what stands behind them is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as its format says it, before it is anybody's document; HTML is still HTML."""

    id: str = ""
    link: str = ""
    title: str = ""
    title_is_markup: bool = False
    texts: tuple[tuple[str, bool, str], ...] = ()
    """Each text that it brings (content, then summary): the text, whether it is HTML, and its base address."""
    author: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    categories: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    origin: str = ""
    """The site or the title of the feed from which it was taken over."""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed as its format says it."""

    entries: Sequence[Entry] = ()
    """The first `MOST_ENTRIES`."""
    found: int = 0
    """How many there were."""
    title: str = ""
    title_is_markup: bool = False
    site: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    format: str = ""
    ill_formed: str = ""
