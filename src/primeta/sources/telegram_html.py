"""Telegram Desktop's export in HTML: `messages.html`, `messages2.html` … of one chat."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from primeta.sources.apart import apart
from primeta.sources.feed_bytes import encoding_of
from primeta.sources.feed_dates import time_of
from primeta.sources.html_text import one_line, plain_of
from primeta.sources.records import Brought, Source, Trouble
from primeta.sources.telegram_text import Post, album, belongs, chat_of, counted, documents_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

LARGEST = 32 * 2**20
"""Bytes of one file; Telegram begins a new one every thousand messages."""
MOST_POSTS = 20_000
SECONDS = 60.0

_FILE = re.compile(r"messages\d{0,6}\.html")
_GO_TO = re.compile(r"(?:messages\d{0,6}\.html)?#go_to_message(-?\d{1,19})")
_NUMBER = re.compile(r"message(-?\d{1,19})")
_ZONE = re.compile(r"UTC\s?[+\-−]|GMT|Z\Z")
_MEDIA = {
    "photo": "photo", "video": "video", "video_file": "video", "animated": "video", "round": "video", "video_message": "video",
    "audio_file": "audio", "audio": "audio", "voice_message": "voice", "sticker": "sticker", "file": "file",
    "document": "file", "contact": "contact", "location": "place", "live_location": "place", "venue": "place",
    "game": "game", "invoice": "invoice", "poll": "poll",
}  # fmt: skip


def read_telegram_html(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
) -> Brought:
    """The messages of one file of an HTML export; `follow` names the next file where it lies beside this one.

    Returns:
        Never an exception. Troubles: `too-large`, `too-slow`, `bomb`, `unreadable`, `not-telegram`; beside documents
        `no-zone`, `empty`, `no-date`, `future-date`, `repeated`.
    """
    whole = bytes_of(raw, largest=LARGEST)
    if isinstance(whole, Trouble):
        return Brought(troubles=(whole,))
    read = apart(
        read_html_here, whole, source=source, encoding=encoding, url=url, seen_at=seen_at, seconds=SECONDS
    )
    if isinstance(read, Trouble):
        return Brought(troubles=(read,))
    follow = ()
    if isinstance(raw, Path):
        follow = tuple(str(raw.parent / name) for name in read.follow if (raw.parent / name).is_file())
    return Brought(documents=read.documents, troubles=read.troubles, follow=follow)


def bytes_of(raw: bytes | Path, *, largest: int) -> bytes | Trouble:
    """A file or what was fetched as bytes; `too-large` or `unreadable` where it cannot be had."""
    try:
        size = len(raw) if isinstance(raw, bytes) else raw.stat().st_size
        if size > largest:
            values = {"reason": "reading", "bytes": size, "largest": largest}
            return Trouble(code="too-large", values=values, permanent=True)
        return raw if isinstance(raw, bytes) else raw.read_bytes()
    except OSError as error:
        return Trouble(code="unreadable", values={"reason": "reading", "why": type(error).__name__})


def read_html_here(
    raw: bytes, *, source: Source, encoding: str = "", url: str = "", seen_at: datetime
) -> Brought:
    """`read_telegram_html` in this process, without limits on time and memory: for files that are trusted.

    `follow` is the bare name of the next file.
    """
    from selectolax.lexbor import LexborHTMLParser

    text, _ = encoding_of(raw, told=encoding)
    page = LexborHTMLParser(text)
    header = page.css_first(".page_header .text.bold") or page.css_first(".page_header .text")
    messages = page.css("div.message")
    if header is None and not messages:
        return Brought(troubles=(Trouble(code="not-telegram", values={"reason": "reading"}, permanent=True),))
    chat = chat_of(source, title=inside(header), url=url)
    counts: Counter[str] = Counter()
    documents, more = documents_of(
        _posts(messages[:MOST_POSTS], counts),
        chat,
        source=source,
        seen_at=seen_at,
        raw=hashlib.sha256(raw).hexdigest(),
        told=url,
    )
    troubles = counted(counts + more)
    if len(messages) > MOST_POSTS:
        troubles.append(Trouble(code="too-many", values={"entries": len(messages), "read": MOST_POSTS}))
    next_file = ""
    for link in page.css("a.pagination")[-1:]:  # the first of two leads back
        name = link.attributes.get("href") or ""
        if _FILE.fullmatch(name) and "previous" not in inside(link).lower():
            next_file = name
    return Brought(
        documents=tuple(documents), troubles=tuple(troubles), follow=(next_file,) if next_file else ()
    )


@dataclass(slots=True)
class _Before:
    """What a message takes over from the one before: Telegram writes a name once for a run of messages."""

    author: str = ""
    forwarded: str = ""


def _posts(messages: list[LexborNode], counts: Counter[str]) -> Iterator[Post]:
    before = _Before()
    group: list[Post] = []
    for message in messages:
        classes = (message.attributes.get("class") or "").split()
        if "default" not in classes:
            continue
        post = _post(message, before, joined="joined" in classes, counts=counts)
        if belongs(post, group):
            group.append(post)
            continue
        if group:
            yield album(group)
        group = [post]
    if group:
        yield album(group)


def _post(message: LexborNode, before: _Before, *, joined: bool, counts: Counter[str]) -> Post:
    number = _NUMBER.fullmatch(message.attributes.get("id") or "")
    body = _child(message, "body")
    if not joined:
        before.author = ""
    at: datetime | None = None
    post = Post(number=number[1] if number else "", at=None)
    if body is None:
        return post
    if (date := body.css_first(".date[title]")) is not None:
        said = date.attributes.get("title") or ""
        at = time_of(said)
        if at is not None and not _ZONE.search(said):
            counts["no-zone"] += 1
    if (name := _child(body, "from_name")) is not None:
        before.author = _name(name)
    inner = _child(body, "forwarded", "body")
    if inner is None:
        before.forwarded = ""
    elif (name := _child(inner, "from_name")) is not None:
        before.forwarded = _name(name)
    texts: list[str] = []
    links: list[str] = []
    media: list[str] = []
    files: list[str] = []
    for where in (body, inner):
        for part in [] if where is None else where.iter():
            classes = (part.attributes.get("class") or "").split()
            if "text" in classes:
                plain = plain_of(part.html or "")
                texts.append(plain.text)
                links += plain.links
            elif "media_wrap" in classes:
                _attached(part, texts, media, files)
            elif "reply_to" in classes:
                link = part.css_first("a[href]")
                if link is not None and (match := _GO_TO.fullmatch(link.attributes.get("href") or "")):
                    post.reply_to = match[1]
            elif "signature" in classes:
                post.author = inside(part)
            elif "bot_buttons_table" in classes or part.tag == "table":
                links += list(plain_of(part.html or "").links)
    post.at = at
    post.text = "\n".join(text for text in texts if text)
    post.links, post.media, post.files = tuple(links), tuple(media), tuple(files)
    post.author = post.author or before.author
    post.sender = before.author
    post.forwarded_from = before.forwarded
    if not post.number:
        # Nothing but its place tells it from another: what it says is its name.
        post.number = hashlib.sha256(f"{at}\0{post.text}".encode("utf-8", "replace")).hexdigest()[:16]
    return post


def _attached(part: LexborNode, texts: list[str], media: list[str], files: list[str]) -> None:
    """What is attached: its kind, the name of a file, the question and options of a poll."""
    for node in part.css("[class]"):
        for name in (node.attributes.get("class") or "").split():
            if name in ("photo_wrap", "photo"):
                kind = "photo"
            elif name in ("video_file_wrap", "animated_wrap"):
                kind = "video"
            elif name == "sticker_wrap":
                kind = "sticker"
            else:
                kind = _MEDIA.get(name.removeprefix("media_"), "") if name.startswith("media_") else ""
            if kind and kind not in media:
                media.append(kind)
    if (poll := part.css_first(".media_poll")) is not None:
        if (question := poll.css_first(".question")) is not None:
            texts.append(plain_of(question.html or "").text)
        for answer in poll.css(".answer")[:100]:
            for votes in answer.css(".details"):
                votes.decompose()
            if words := inside(answer, longest=1_000).removeprefix("-").strip():
                texts.append(f"— {words}")
    elif {"file", "audio", "place", "game", "invoice"} & set(media):
        title = inside(part.css_first(".title"))
        if title and title.lower() not in ("file", "audio file", "location", "live location"):
            if {"file", "audio"} & set(media):
                files.append(title)
            else:
                texts.append(title)
                texts.append(inside(part.css_first(".description"), longest=1_000))
    elif {"photo", "video"} & set(media) and (caption := part.css_first(".description")) is not None:
        words = inside(caption, longest=1_000)
        if not words.startswith(("Not included", "Exceeds maximum size", "Unavailable")):
            texts.append(words)


def _name(node: LexborNode) -> str:
    """A sender without the date that stands beside a forwarded one, and without the bot that helped him."""
    for date in node.css(".details"):
        date.decompose()
    return re.sub(r"\s+via @\w{3,32}\Z", "", inside(node))


def _child(node: LexborNode, *classes: str) -> LexborNode | None:
    for child in node.iter():
        if set(classes) <= set((child.attributes.get("class") or "").split()):
            return child
    return None


def inside(node: LexborNode | None, *, longest: int = 200) -> str:
    """The text of a node on one line; empty without a node."""
    return "" if node is None else one_line(node.text(deep=True), longest=longest)
