"""Telegram as documents, in whichever of its forms it came: export in JSON, export in HTML, public preview page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from primeta.sources.records import Brought, Source, Trouble
from primeta.sources.telegram_export import read_telegram_export
from primeta.sources.telegram_html import read_telegram_html
from primeta.sources.telegram_page import read_telegram_page
from primeta.sources.telegram_text import telegram_form

_READERS = {"export": read_telegram_export, "html": read_telegram_html, "page": read_telegram_page}


def read_telegram(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
) -> Brought:
    """The messages of what came, by the reader of its form.

    Args:
        raw: Bytes that were fetched, or a file: an export is then read where it lies, whatever its size.
        url: Where it came from.
        position: As the call before left it; see `read_telegram_export`.
    Returns:
        Never an exception. `not-telegram` where it is none of the three forms.
    """
    try:
        if isinstance(raw, bytes):
            head = raw[:65_536]
        else:
            with raw.open("rb") as file:
                head = file.read(65_536)
    except OSError as error:
        trouble = Trouble(code="unreadable", values={"reason": "reading", "why": type(error).__name__})
        return Brought(troubles=(trouble,))
    read = _READERS.get(telegram_form(head))
    if read is None:
        return Brought(troubles=(Trouble(code="not-telegram", values={"reason": "reading"}, permanent=True),))
    return read(
        raw, source=source, media=media, encoding=encoding, url=url, seen_at=seen_at, position=position
    )
