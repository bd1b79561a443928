"""The messages of a Telegram export one after another, of a file of any size, whole or broken off.

Only the message that is being read is in memory. The walk knows the export's few arrays; everything else is skipped by
its brackets, without being built, so neither size nor nesting costs memory.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

CHUNK = 1 << 16
"""Bytes; an error of json counts the lines before it, so a short window makes damage cheap."""
LARGEST_MESSAGE = 8 * 2**20
"""Characters; the text of a message has at most some ten thousand with all its marks."""

_SPACE = re.compile(r"[\s,]*")
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*+("?)|[{}\[\]]', re.DOTALL)
_LONGEST_STRING = 64 * 2**20
"""Of what is skipped."""
_SCALAR = re.compile(r"[^\s,\]}]*")
_NEXT = re.compile(r'\{\s*"id"\s*:\s*-?\d{1,20}\s*,\s*"type"\s*:')
_INTO: Mapping[tuple[str, str], str] = {
    ("root", "messages"): "messages", ("chat", "messages"): "messages", ("root", "chats"): "chats",
    ("root", "left_chats"): "chats", ("chats", "list"): "list",
}  # fmt: skip
_OPENING = {"messages": "[", "chats": "{", "list": "["}


class _Ended(Exception):
    """The file ends inside a value."""


@dataclass(slots=True)
class Walk:
    """Where the walk stands; `as_dict` goes into `position`."""

    stack: list[str] = field(default_factory=list)
    chat: dict[str, object] = field(default_factory=dict)
    """`name`, `type`, `id` of the chat whose messages come."""
    broken: int = 0
    """Messages that could not be read, and were stepped over."""
    cut: bool = False
    """The file breaks off."""
    many: bool = False
    """It is a whole account's."""
    shape: tuple[str, ...] = ()
    """The stack where messages stand."""


def messages_of(
    file: BinaryIO, walk: Walk, *, encoding: str = "utf-8"
) -> Iterator[tuple[dict[str, object], Mapping[str, object], int]]:
    """Chat, message and the offset in bytes at which the message begins.

    Args:
        file: Stands at the beginning, or where an earlier walk stopped; offsets count from there.
        walk: A fresh one, or as it was then.
    """
    text = _Text(file, encoding)
    stack = walk.stack
    if not stack:
        opening = text.peek()
        if opening not in ("{", "["):
            walk.cut = True
            return
        text.at += 1
        # Some tools write a bare list of messages.
        stack.append("root" if opening == "{" else "messages")
    try:
        while stack:
            sign = text.peek()
            if not sign:
                raise _Ended
            if sign in "]}":
                text.at += 1
                stack.pop()
            elif stack[-1] in ("list", "messages"):
                if sign != "{":
                    text.skip()
                elif stack[-1] == "list":
                    text.at += 1
                    stack.append("chat")
                    walk.chat, walk.many = {}, True
                else:
                    value = text.value()
                    if isinstance(value, dict):
                        walk.shape = walk.shape if len(walk.shape) == len(stack) else tuple(stack)
                        yield walk.chat, value, text.offset()
                    else:
                        walk.broken += 1
                        if not text.find_next():
                            raise _Ended
            else:
                _key(text, walk)
    except _Ended:
        walk.cut = True


def _key(text: _Text, walk: Walk) -> None:
    """One key of an object and what stands behind it: a scalar is kept, a known array is entered, the rest skipped."""
    if text.peek() != '"':
        text.skip()
        return
    key = text.value()
    if text.peek() == ":":
        text.at += 1
    sign = text.peek()
    into = _INTO.get((walk.stack[-1], key)) if isinstance(key, str) else None
    if into is not None and sign == _OPENING[into]:
        text.at += 1
        walk.stack.append(into)
    elif sign and sign in "{[":
        text.skip()
    elif not sign:
        raise _Ended
    else:
        value = text.value()
        if (
            key in ("name", "type", "id")
            and isinstance(value, str | int)
            and walk.stack[-1] in ("root", "chat")
        ):
            walk.chat[key] = value


class _Text:
    """A file as characters, a window of it at a time."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        # What is no text comes out as something that takes as many bytes, so that offsets stay right.
        self._odd = "surrogateescape" if encoding == "utf-8" else "replace"
        self._decoder = codecs.getincrementaldecoder(encoding)(self._odd)
        self._scan = json.JSONDecoder(parse_float=_number, parse_int=_number, strict=False).raw_decode
        self.buffer = ""
        self.at = 0
        self.ended = False
        self._start = 0
        self._counted = 0
        """Characters of the window whose bytes are counted …"""
        self._before = 0
        """… and they, with those in front of the window."""

    def offset(self) -> int:
        """Where the last value began, in bytes."""
        self._count(self._start)
        return self._before

    def _count(self, until: int) -> None:
        if until > self._counted:
            self._before += len(self.buffer[self._counted : until].encode(self._encoding, self._odd))
            self._counted = until

    def fill(self, *, keep: int) -> bool:
        """Read on; what stands before `keep` is let go. False at the end of the file."""
        if self.ended:
            return False
        if keep > 0:
            self._count(keep)
            self.buffer = self.buffer[keep:]
            self.at -= keep
            self._counted -= keep
            self._start = max(0, self._start - keep)
        chunk = self._file.read(max(CHUNK, len(self.buffer)))
        self.ended = not chunk
        self.buffer += self._decoder.decode(chunk, final=not chunk)
        return True

    def peek(self) -> str:
        """The next sign that is neither space nor comma; empty at the end."""
        while True:
            match = _SPACE.match(self.buffer, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.fill(keep=self.at):
                return ""

    def value(self) -> object:
        """The next value; None, standing where it began, for one that is broken or larger than `LARGEST_MESSAGE`."""
        while True:
            self._start = self.at
            try:
                value, end = self._scan(self.buffer, self.at)
            except json.JSONDecodeError as error:
                within = error.msg.startswith("Unterminated string") or error.pos >= len(self.buffer) - 16
                if not within or len(self.buffer) - self.at > LARGEST_MESSAGE:
                    return self._broken()
            except (RecursionError, ValueError):
                return self._broken()
            else:
                if end < len(self.buffer) or self.ended:
                    self.at = end
                    return value
            if not self.fill(keep=self.at):
                raise _Ended

    def _broken(self) -> None:
        if self.buffer[self.at] not in "{[":  # of a scalar there is nothing to look for inside
            self.skip()

    def skip(self) -> None:
        """Over the next value, without building it."""
        if self.buffer[self.at] not in '{["':
            self.at += 1
            while True:
                match = _SCALAR.match(self.buffer, self.at)
                assert match is not None
                self.at = match.end()
                if self.at < len(self.buffer) or not self.fill(keep=self.at):
                    return
        depth = 0
        while True:
            match = _TOKEN.search(self.buffer, self.at)
            if match is None or match[1] == "":
                # A string without an end yet is read on with; what stands before it is done with.
                keep = len(self.buffer) if match is None else match.start()
                if len(self.buffer) - keep > _LONGEST_STRING:
                    raise _Ended
                self.at = keep
                if not self.fill(keep=keep):
                    raise _Ended
                continue
            self.at = match.end()
            if match[0] in "{[":
                depth += 1
            elif match[0] in "}]":
                depth -= 1
            if depth <= 0:
                return

    def find_next(self) -> bool:
        """To the next thing that looks like a message; False where none comes."""
        self.at += 1
        while True:
            if match := _NEXT.search(self.buffer, self.at):
                self.at = match.start()
                return True
            self.at = max(self.at, len(self.buffer) - 200)
            if not self.fill(keep=self.at):
                return False


def _number(digits: str) -> object:
    """Numbers as integers where they are some; a number of a million digits is none."""
    if len(digits) > 40:
        return 0
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def stack_of(value: object) -> list[str]:
    """A stack as `position` kept it; empty where it is none."""
    known = {"root", "chat", "chats", "list", "messages"}
    if isinstance(value, Sequence) and not isinstance(value, str) and 0 < len(value) < 8:
        names = [str(name) for name in value]
        return names if set(names) <= known else []
    return []
