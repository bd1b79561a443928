"""From what came to documents: each kind of source has its reader, and whatever the bytes are, nothing is raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from primeta.sources.records import Brought, Source, Trouble

_PLACES = {
    "telegram-export": ("telegram_export", "read_telegram_export"),
    "telegram-page": ("telegram_page", "read_telegram_page"),
    "telegram-html": ("telegram_html", "read_telegram_html"),
    "mail": ("mail", "read_mail"),
    "page": ("page", "read_page"),
    "pdf": ("pdf", "read_pdf"),
    "table": ("table", "read_table"),
}


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
) -> Brought:
    """The documents of one thing that came.

    Args:
        raw: The bytes as they came, or a file of the workspace.
        media: Their type as told; empty where nobody said.
        url: Where they came from; a path for files.
        seen_at: Aware; when they came.
        position: Where reading of this file ended last time.
        before: Of watched pages: the bytes of the version before.
    """
    if source.reader == "feed":
        return _feed(_bytes(raw), source=source, media=media, encoding=encoding, url=url, seen_at=seen_at)
    options: dict[str, Any] = {"before": before} if source.reader == "page" else {}
    reader = _reader(source, raw, media, url)
    return reader(
        raw,
        source=source,
        media=media,
        encoding=encoding,
        url=url,
        seen_at=seen_at,
        position=position,
        **options,
    )


def _feed(raw: bytes, *, source: Source, media: str, encoding: str, url: str, seen_at: datetime) -> Brought:
    from primeta.sources.feed import read_feed

    found = read_feed(raw, source=source, media=media, encoding=encoding, url=url, seen_at=seen_at)
    return Brought(documents=found.documents, troubles=found.troubles)


def _reader(source: Source, raw: bytes | Path, media: str, url: str) -> Callable[..., Brought]:
    name: str = source.reader
    if name == "telegram":
        start = raw[:2_000] if isinstance(raw, bytes) else _start(raw)
        if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            name = "telegram-export"
        else:
            name = "telegram-page" if "://" in url else "telegram-html"
    module, function = _PLACES[name]
    return getattr(import_module(f"primeta.sources.{module}"), function)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(2_000)


def _bytes(raw: bytes | Path) -> bytes:
    return raw if isinstance(raw, bytes) else raw.read_bytes()


def failed(brought: Brought) -> Trouble | None:
    """Why nothing at all could be read; None where it could, or where there was nothing to read."""
    if brought.documents or not brought.troubles:
        return None
    return next((trouble for trouble in brought.troubles if trouble.code in WHOLE), None)


WHOLE = frozenset(
    (
        "not-a-feed",
        "unreadable",
        "too-large",
        "too-slow",
        "bomb",
        "not-a-page",
        "not-an-export",
        "columns",
        "no-text",
    )
)
"""Codes that speak of the whole thing, not of parts of it."""
