"""The mails of a mailbox file (mbox) one after another, from where the last reading stopped."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

LARGEST_MAIL = 32 * 2**20
"""Bytes of one mail; of a larger one its beginning is read, where the text stands."""

_CHUNK = 1 << 20
_REACH = 1_024
"""Bytes around a line that are looked at to tell whether a mail begins there."""
_WINDOW = 65_536
_FROM = re.compile(rb"\nFrom (?=[^\r\n]{0,500}(?:\r?\n))")
_QUOTED = re.compile(rb"^>(>{0,20}From )", re.MULTILINE)
_DATED = re.compile(rb"\d{1,2}:\d\d(?::\d\d)?.*\b(?:19|20)\d\d\b|\b(?:19|20)\d\d\b.*\d{1,2}:\d\d")
_HEADER = re.compile(rb"(?:[!-9;-~]{1,76}:[ \t\r\n]|>?From )")
_WELL_KNOWN = re.compile(
    rb"(?:return-path|received|delivered-to|x-[\w-]+|from|to|date|subject|message-id|mime-version|dkim-signature|arc-[\w-]+|status|"
    rb"authentication-results|content-type|envelope-to|reply-to|sender|list-[\w-]+)[ \t]*:",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A mail of a mailbox."""

    offset: int
    size: int
    raw: bytes
    """Without the line «From …»; its beginning where it is larger than `LARGEST_MAIL`."""


def mails_of(file: BinaryIO, *, start: int = 0) -> Iterator[Found]:
    """The mails from an offset on, which is 0 or the offset of a mail."""
    starts = _starts(file, start)
    begins = next(starts, None)
    while begins is not None:
        ends = next(starts, None)
        size = (ends if ends is not None else file.seek(0, 2)) - begins
        file.seek(begins)
        raw = file.read(min(size, LARGEST_MAIL))
        raw = raw.partition(b"\n")[2] if raw.startswith(b"From ") else raw
        # A line that began with «From » was written with a `>` before it, so that it begins no mail.
        yield Found(begins, size, _QUOTED.sub(rb"\1", raw) if b">From " in raw else raw)
        begins = ends


def position_of(file: BinaryIO, offset: int, last: int) -> dict[str, object]:
    """What is to be remembered of a mailbox that was read up to an offset; the last mail began at `last`."""
    return {"offset": offset, "last": last, "before": _digest(file, offset)}


def resumed(file: BinaryIO, position: Mapping[str, object] | None) -> int:
    """Where reading goes on: behind what was read, at the last mail if that has grown, at 0 if the file was rewritten."""
    position = position or {}
    offset, last = position.get("offset"), position.get("last")
    if not (isinstance(offset, int) and isinstance(last, int) and 0 <= last <= offset) or offset == 0:
        return 0
    if _digest(file, offset) != position.get("before"):
        return 0
    file.seek(offset)
    following = file.read(_REACH).lstrip(b"\r\n")
    return offset if not following or following.startswith(b"From ") else last


def _digest(file: BinaryIO, offset: int) -> str:
    """Of the beginning and of what stands before the offset: a mailbox that is rewritten (a mail deleted, folders
    compacted) moves what stood there."""
    digest = hashlib.sha256(str(offset).encode())
    file.seek(0)
    digest.update(file.read(min(offset, _REACH)))
    file.seek(max(0, offset - _WINDOW))
    digest.update(file.read(min(offset, _WINDOW)))
    return digest.hexdigest()


def _starts(file: BinaryIO, start: int) -> Iterator[int]:
    file.seek(start)
    head = file.read(_REACH)
    blank = len(head) - len(head.lstrip(b"\r\n"))
    if not head.strip():
        return
    yield start + blank
    found = start + blank
    at = start + blank  # of the window's first byte
    window = b""
    while True:
        file.seek(at + len(window))
        chunk = file.read(_CHUNK)
        window += chunk
        reach = len(window) - _REACH if chunk else len(window)
        for match in _FROM.finditer(window):
            if match.start() >= reach:
                break
            begins = at + match.start() + 1
            if begins > found and _is_start(window, match.start()):
                found = begins
                yield begins
        if not chunk:
            return
        keep = max(0, len(window) - 2 * _REACH)
        at += keep
        window = window[keep:]


def _is_start(window: bytes, place: int) -> bool:
    """Whether the line behind `place` (a line feed) begins a mail: an empty line before, and a date or headers behind."""
    if place > 0 and window[place - 1 : place] != b"\n" and window[max(0, place - 2) : place] != b"\n\r":
        return False
    end = window.find(b"\n", place + 1)
    line, following = window[place + 1 : end], window[end + 1 : end + 200]
    if _WELL_KNOWN.match(following):
        return True
    return bool(_DATED.search(line) and _HEADER.match(following))
