"""A mail taken apart: its headers, what is written in it, the names of what is attached, the mails inside it.

Bodies are cut at their boundaries by one search each, to a depth and a number of parts beyond which no mail that people
write goes; so hostile nesting costs what its bytes cost.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from primeta.sources.html_text import one_line, tidy
from primeta.sources.mail_words import base64_bytes, decoded, header

DEEPEST = 12
MOST_PARTS = 300
LARGEST_HEAD = 512 * 2**10
MOST_HEADERS = 2_000
LARGEST_TEXT = 4 * 2**20
"""Bytes of one text as sent."""
MOST_NESTED = 5

_HEADER = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
_PARAMETER = re.compile(
    r""";\s*([\w!#$%&+.^`|~-]{1,40}?)(\*\d{0,3}\*?)?\s*=\s*("(?:[^"\\]|\\.){0,2000}"|[^\s;"]{0,2000})"""
)
_META = re.compile(rb"""<meta[^>]{0,300}charset\s{0,5}=\s{0,5}["']?([\w-]{2,30})""", re.IGNORECASE)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_END_OF_HEAD = re.compile(rb"\r?\n[ \t]*\r?\n|\A[ \t]*\r?\n")
_TEXT_KINDS = frozenset({"text/plain", "text/html", "text/enriched", "text/markdown", "text/x-markdown", "application/xhtml+xml", "text"})  # fmt: skip


_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "application/pgp-keys"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a mail."""

    words: str
    markup: bool
    flowed: bool = False
    delete_space: bool = False


@dataclass(slots=True)
class Parts:
    """What stands in a mail."""

    headers: Mapping[str, Sequence[bytes]]
    """By lower-case name, in their order."""
    texts: list[list[Text]] = field(default_factory=list)
    """One after another; the texts of one list say the same in different forms."""
    attachments: list[str] = field(default_factory=list)
    nested: list[Parts] = field(default_factory=list)
    automatic: bool = False
    """A delivery report."""
    passed: int = 0
    """Parts beyond `MOST_PARTS` or `DEEPEST`."""

    def first(self, name: str) -> str:
        """The first header of a name as people read it; empty where there is none."""
        return header(self.headers[name][0]) if name in self.headers else ""


@dataclass(slots=True)
class _Budget:
    parts: int = MOST_PARTS


def parts_of(raw: bytes) -> Parts:
    """A mail's parts; broken in any way, it is read as far as it goes."""
    return _mail(raw, _Budget(), depth=0)


def _mail(raw: bytes, budget: _Budget, *, depth: int) -> Parts:
    headers, body = _split(raw)
    found = Parts(headers=headers)
    _walk(headers, body, found, found.texts, budget, depth=depth)
    return found


def _walk(
    headers: Mapping[str, Sequence[bytes]],
    body: bytes,
    mail: Parts,
    into: list[list[Text]],
    budget: _Budget,
    *,
    depth: int,
    digest: bool = False,
) -> None:
    if budget.parts <= 0 or depth > DEEPEST:
        mail.passed += 1
        return
    budget.parts -= 1
    kind, options = _value(headers.get("content-type", (b"",))[0])
    kind = kind or ("message/rfc822" if digest else "text/plain")
    disposition, places = _value(headers.get("content-disposition", (b"",))[0])
    name = one_line(places.get("filename") or options.get("name") or "")
    if kind.startswith("multipart/"):
        if kind == "multipart/report":
            mail.automatic = True
        pieces = _pieces(body, options.get("boundary", ""), budget)
        if pieces is None:  # no boundary: whatever it is, it is text
            _text(headers, body, "text/plain", options, into)
            return
        alternative = kind == "multipart/alternative"
        same: list[list[Text]] = []
        for piece in pieces:
            if budget.parts <= 0:
                mail.passed += 1
                continue
            inner, content = _split(piece)
            _walk(
                inner, content, mail, same if alternative else into, budget,
                depth=depth + 1, digest=kind == "multipart/digest",
            )  # fmt: skip
        if same:
            into.append([text for texts in same for text in texts])
    elif kind == "message/rfc822" or (kind == "application/octet-stream" and name.lower().endswith(".eml")):
        if name:
            mail.attachments.append(name)
        if len(mail.nested) < MOST_NESTED:
            mail.nested.append(_mail(_unpacked(headers, body), budget, depth=depth + 1))
    elif kind in _TEXT_KINDS and disposition != "attachment":
        _text(headers, body, kind, options, into)
    elif kind in _SIGNATURES:
        return
    elif name and not (
        kind.startswith("image/") and (disposition != "attachment" or "content-id" in headers)
    ):
        mail.attachments.append(name)


def _text(
    headers: Mapping[str, Sequence[bytes]],
    body: bytes,
    kind: str,
    options: Mapping[str, str],
    into: list[list[Text]],
) -> None:
    raw = _unpacked(headers, body[:LARGEST_TEXT])
    told = options.get("charset", "")
    markup = "html" in kind
    start = raw[:2_000].lstrip().lower()
    if kind == "text/plain" and start.startswith((b"<!doctype html", b"<html")):
        markup = True
    if not told and markup and (meta := _META.search(raw[:4_000])):
        told = meta[1].decode("ascii")
    words = decoded(raw, told=told)
    if kind == "text/enriched":
        words, markup = words.replace("<<", "&lt;"), True
    if words.strip():
        flowed = options.get("format", "").lower() == "flowed" and not markup
        into.append([Text(words, markup, flowed, options.get("delsp", "").lower() == "yes")])


def _split(raw: bytes) -> tuple[dict[str, list[bytes]], bytes]:
    """Headers and body; the headers end at an empty line, or at the first line that is none."""
    found: dict[str, list[bytes]] = {}
    match = _END_OF_HEAD.search(raw, 0, LARGEST_HEAD)
    head = raw[: match.start()] if match else raw[:LARGEST_HEAD]
    body = raw[match.end() :] if match else b""
    last: list[bytes] | None = None
    number = at = 0
    for line in re.split(rb"\r\n|\n|\r", head):
        begins, at = at, at + len(line) + 1
        if line[:1] in (b" ", b"\t"):
            if last is not None and len(last[-1]) < 100_000:
                last[-1] += b" " + line.strip()
            continue
        match_line = _HEADER.match(line)
        if match_line is None or number >= MOST_HEADERS:
            if line.startswith((b"From ", b">From ")) or not line.strip():
                continue
            if not found:  # a body without headers
                return {}, raw
            body = head[begins:] + b"\n" + body
            break
        number += 1
        last = found.setdefault(match_line[1].decode("ascii").lower(), [])
        last.append(line[match_line.end() :].strip())
    return found, body


def _pieces(body: bytes, boundary: str, budget: _Budget) -> list[bytes] | None:
    """What stands between boundaries; None where none stands there."""
    if not boundary:
        # Lost on the way: the first line that looks like one.
        match = re.search(rb"^--([^\s-][^\r\n]{4,70})\r?\n(?=[\w-]+:)", body[:100_000], re.MULTILINE)
        if match is None:
            return None
        mark = match[1].rstrip()
    else:
        mark = boundary.encode("utf-8", "surrogateescape")[:1_000]
    line = re.compile(rb"^--" + re.escape(mark) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
    pieces: list[bytes] = []
    start = -1
    for match in line.finditer(body):
        if start >= 0:
            pieces.append(body[start : match.start()])
        start = match.end() + 1
        if match[1]:
            start = -1
            if pieces:
                break
        if len(pieces) > budget.parts:
            return pieces
    if start >= 0:
        pieces.append(body[start:])
    return pieces or None


def _unpacked(headers: Mapping[str, Sequence[bytes]], body: bytes) -> bytes:
    how = headers.get("content-transfer-encoding", (b"",))[0].split(b";")[0].strip().lower()
    if how == b"base64":
        return base64_bytes(body.split(b"\n--", 1)[0] if b"\n--" in body else body)
    if how == b"quoted-printable":
        return binascii.a2b_qp(body)
    return body


def _value(raw: bytes) -> tuple[str, dict[str, str]]:
    """`type/subtype` in lower case and its parameters, those in pieces and in other sets (RFC 2231) put together."""
    text = decoded(raw[:20_000])
    kind = tidy(text.partition(";")[0]).strip().lower()
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for match in _PARAMETER.finditer(text):
        value = match[3]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        mark = match[2] or ""
        number = int(digits) if (digits := mark.strip("*")) else 0
        pieces.setdefault(match[1].lower(), []).append((number, mark.endswith("*"), value))
    found: dict[str, str] = {}
    for name, parts in pieces.items():
        parts.sort(key=lambda part: part[0])
        joined = "".join(value for _, _, value in parts)
        if any(extended for _, extended, _ in parts):
            told, _, words = joined.partition("'") if joined.count("'") >= 2 else ("", "", joined)
            words = words.partition("'")[2] if told or joined.count("'") >= 2 else words
            raw_words = _PERCENT.sub(lambda code: chr(int(code[1], 16)), words).encode("latin-1", "replace")
            found[name] = decoded(raw_words, told=told)
        else:
            found[name] = header(joined.encode("utf-8", "replace")) if "=?" in joined else joined
    return kind, found
