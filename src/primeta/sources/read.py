"""From what came to documents: each kind of source has its reader, and whatever the bytes are, nothing is raised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from primeta.sources.records import Brought, Source, Trouble

GOES_ON = ("table", "mail", "telegram")
"""Readers that take a large thing portion by portion and know where they stopped."""
WHOLE = frozenset(
    (
        "not-a-feed", "not-telegram", "not-mail", "not-a-pdf", "no-preview", "no-posts", "no-part", "no-text",
        "bad-table", "no-columns", "encrypted", "unreadable", "too-large", "too-slow", "bomb", "no-file", "damaged",
    )
)  # fmt: skip
"""Troubles that speak of the whole thing, not of parts of it."""


def read(
    raw: bytes | Path,
    *,
    source: Source,
    media: str,
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
    before: bytes | None = None,
    timezone: str = "UTC",
) -> Iterator[Brought]:
    """The documents of one thing that came, portion by portion; the position of the last one lacks `more`.

    Args:
        raw: The bytes as they came, or a file of the workspace.
        media: Their type as told; empty where nobody said.
        url: Where they came from; empty for files.
        seen_at: Aware; when they came.
        position: Where reading of this file ended last time.
        before: Of watched pages: the bytes of the version before.
        timezone: Of times that a table writes without one.
    """
    told: dict[str, Any] = {
        "source": source,
        "media": media,
        "encoding": encoding,
        "url": url,
        "seen_at": seen_at,
    }
    if source.reader == "table":
        from primeta.sources.table import table_batches

        yield from table_batches(raw, position=position, timezone=timezone, **told)
        return
    if source.reader not in GOES_ON:
        yield _at_once(raw, before, told)
        return
    while True:
        found = _next(raw, source, position, told)
        yield found
        if not found.position.get("more") or found.position == position:
            return
        position = found.position


def _at_once(raw: bytes | Path, before: bytes | None, told: Mapping[str, Any]) -> Brought:
    reader = told["source"].reader
    if reader == "feed":
        from primeta.sources.feed import read_feed

        content = raw if isinstance(raw, bytes) else raw.read_bytes()
        feed = read_feed(content, **told)
        return Brought(documents=feed.documents, troubles=feed.troubles)
    if reader == "page":
        from primeta.sources.page import read_page

        return read_page(raw, before=before, **told)
    from primeta.sources.pdf import read_pdf

    return read_pdf(raw, **told)


def _next(
    raw: bytes | Path, source: Source, position: Mapping[str, object] | None, told: Mapping[str, Any]
) -> Brought:
    if source.reader == "mail":
        from primeta.sources.mail import read_mail

        return read_mail(raw, position=position, **told)
    from primeta.sources.telegram import read_telegram

    return read_telegram(raw, position=position, **told)


def failed(brought: Brought) -> Trouble | None:
    """Why nothing at all could be read; None where something could, or where there was nothing to read."""
    if brought.documents:
        return None
    return next((trouble for trouble in brought.troubles if trouble.permanent or trouble.code in WHOLE), None)
