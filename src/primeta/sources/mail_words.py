"""The words of a mail's headers and bodies, in whatever set of characters they were sent and whatever it was called."""

from __future__ import annotations

import base64
import binascii
import codecs
import re

from primeta.sources.feed_bytes import encoding_of, likely_encoding, likeness, unscrambled

LONGEST_HEADER = 20_000
"""Bytes of one header that are looked at."""

_ENCODED = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?]{0,10000})\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?[\w.:*+-]{1,60}\?[bBqQ]\?)")
_NAMES = {
    "win-1251": "cp1251", "win1251": "cp1251", "windows1251": "cp1251", "cp-1251": "cp1251", "x-cp1251": "cp1251", "ansi-1251": "cp1251",
    "koi8r": "koi8-r", "koi-8": "koi8-r", "koi8": "koi8-r", "x-koi8-r": "koi8-r", "utf8mb4": "utf-8", "unicode-1-1-utf-7": "utf-7",
    "iso-8859-8-i": "iso-8859-8", "x-mac-cyrillic": "mac-cyrillic", "dos-866": "cp866", "ibm866": "cp866", "x-unknown": "",
    "unknown-8bit": "", "default": "", "x-user-defined": "", "us-ascii": "", "ascii": "", "ansi_x3.4-1968": "",
}  # fmt: skip
_CYRILLIC = frozenset({"cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic"})
_WESTERN = frozenset(
    {"cp1252", "iso8859-1", "iso8859-15", "iso8859-9", "iso8859-2", "cp1250", "cp437", "cp850"}
)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def decoded(raw: bytes, *, told: str = "") -> str:
    """Bytes as text.

    UTF-8 where they are good UTF-8; else what was told, unless the letters make words only in another Cyrillic set than
    the one that was told, or most of them lie beyond ASCII in a set that is told to be Western. Nothing told: by the
    letters.
    """
    if raw.isascii() and b"\x1b" not in raw and b"+" not in raw and b"~{" not in raw:
        return raw.decode("ascii")
    name = told.strip().strip("\"'").lower()
    name = _NAMES.get(name, name)
    try:
        known = codecs.lookup(name).name if name else ""
    except (LookupError, ValueError):
        known = ""
    if known == "utf-7":
        return raw.decode("utf-7", "replace")
    if known in _CYRILLIC or known in _WESTERN:
        sample = raw[:20_000]
        likely = likely_encoding(sample)
        if likely != "cp1252" and likely != known:
            letters = sum(1 for byte in sample if byte >= 0xC0)
            latin = sum(1 for byte in sample if 0x41 <= (byte & 0xDF) <= 0x5A)
            mostly = letters > latin
            if (known in _WESTERN and mostly) or (
                known in _CYRILLIC and likeness(sample, likely) > 2 * max(0.0, likeness(sample, known))
            ):
                known = likely
    text, _ = encoding_of(raw, told=known)
    return unscrambled(text)


def header(raw: bytes) -> str:
    """A header's value as people read it: encoded words (RFC 2047), broken ones too, and bytes that nobody declared."""
    raw = raw[:LONGEST_HEADER].replace(b"\r", b"").replace(b"\n", b"")
    text = decoded(raw)
    if "=?" not in text:
        return text.strip()
    text = _BETWEEN.sub(r"\1", text)
    pieces: list[str] = []
    at = 0
    waiting: tuple[str, bytes] = ("", b"")
    for match in _ENCODED.finditer(text):
        between = text[at : match.start()]
        name, words = match[1].lower(), _word(match[2], match[3])
        if waiting[1] and (between or name != waiting[0]):
            pieces.append(decoded(waiting[1], told=waiting[0]))
            waiting = ("", b"")
        pieces.append(between)
        # One letter may be cut in two between two words of one set: bytes are joined before they are read.
        waiting = (name, waiting[1] + words)
        at = match.end()
    if waiting[1]:
        pieces.append(decoded(waiting[1], told=waiting[0]))
    pieces.append(text[at:])
    return "".join(pieces).strip()


def _word(how: str, words: str) -> bytes:
    if how in "bB":
        return base64_bytes(words.encode("ascii", "ignore"))
    quoted = words.replace("_", " ").replace("\n", "")
    return binascii.a2b_qp(quoted.encode("utf-8", "replace"))


def base64_bytes(raw: bytes) -> bytes:
    """Bytes of base64 with anything between its letters, and with an end that is missing."""
    clean = _NOT_BASE64.sub(b"", raw)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    return base64.b64decode(clean + b"=" * (-len(clean) % 4))
