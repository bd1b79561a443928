"""The bytes of a page as markup: by its mark, by what the server told, by what the page itself says."""

from __future__ import annotations

import re

from primeta.sources.feed_bytes import encoding_of

_META = re.compile(
    rb"""<meta[^>]{0,300}?charset\s{0,8}=\s{0,8}["']?\s{0,8}([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE
)
_HEAD = 8_192
"""Bytes: HTML wants the word within the first 1,024; pages that say it later are common."""


def markup_of(raw: bytes, *, told: str = "") -> str:
    """The markup of a page."""
    if not told and (named := _META.search(raw[:_HEAD])):
        told = named[1].decode("ascii")
    return encoding_of(raw, told=told)[0]
