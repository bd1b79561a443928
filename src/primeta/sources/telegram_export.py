"""Telegram Desktop's export in JSON (`result.json`): one chat, or the channels and groups of a whole account."""

from __future__ import annotations

import codecs
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from primeta.sources.apart import apart
from primeta.sources.feed_dates import EARLIEST, time_of
from primeta.sources.html_text import one_line
from primeta.sources.records import Brought, Document, Source, Trouble
from primeta.sources.telegram_stream import Walk, messages_of, stack_of
from primeta.sources.telegram_text import Chat, Post, album, belongs, chat_of, counted, documents_of

LARGEST = 128 * 2**20
"""Bytes that are handed over in memory; a file is read in place, whatever its size."""
MOST_DOCUMENTS = 20_000
"""Of one call; `position` then says `more`."""
SECONDS = 120.0
_WINDOW = 4_096

_PRIVATE = frozenset({"personal_chat", "bot_chat", "saved_messages", "verify_codes", "replies"})
"""Of a whole account these are nobody's source. One such chat exported on its own was chosen by a person: an interview,
a bot that takes complaints."""
_MEDIA = {
    "video_file": "video", "animation": "video", "video_message": "video", "audio_file": "audio", "voice_message": "voice",
    "sticker": "sticker",
}  # fmt: skip
_NOT_INCLUDED = re.compile(r"(?:(.{1,200}) )?\((?:File|Photo|Video) [^()]{0,200}\)\s*", re.DOTALL)
"""What stands in place of a path: «report.pdf (File exceeds maximum size. …)»."""


def read_telegram_export(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
    most: int = MOST_DOCUMENTS,
) -> Brought:
    """The messages of channels and groups of an export; talk between people is left out.

    Args:
        raw: The file or its bytes. A file is read where it lies, a message at a time.
        url: Where it came from; of a single chat its public name is taken from there or from the source's `at`.
        position: Of the call before: where that one stopped. Forgotten where the file has changed since.
        most: Documents of one call, about; `position["more"]` is true while messages are left.
    Returns:
        Never an exception. Troubles: `too-large`, `too-slow`, `unreadable`, `not-telegram`; beside documents `cut-short`,
        `ill-formed-messages`, `private-chats`, `no-zone`, `empty`, `no-date`, `future-date`, `repeated`.
    """
    if isinstance(raw, bytes) and len(raw) > LARGEST:
        trouble = Trouble(
            code="too-large",
            values={"reason": "reading", "bytes": len(raw), "largest": LARGEST},
            permanent=True,
        )
        return Brought(troubles=(trouble,))
    read = apart(
        read_export_here,
        raw,
        source=source,
        url=url,
        seen_at=seen_at,
        position=position,
        most=most,
        seconds=SECONDS,
    )
    return Brought(troubles=(read,)) if isinstance(read, Trouble) else read


def read_export_here(
    raw: bytes | Path,
    *,
    source: Source,
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
    most: int = MOST_DOCUMENTS,
) -> Brought:
    """`read_telegram_export` in this process, without a limit on its time: for files that are trusted."""
    try:
        with io.BytesIO(raw) if isinstance(raw, bytes) else raw.open("rb") as file:
            digest = hashlib.sha256(raw).hexdigest() if isinstance(raw, bytes) else ""
            return _read(
                file, source=source, url=url, seen_at=seen_at, position=position, most=most, digest=digest
            )
    except OSError as error:
        why = type(error).__name__
        return Brought(troubles=(Trouble(code="unreadable", values={"reason": "reading", "why": why}),))


def _read(
    file: BinaryIO,
    *,
    source: Source,
    url: str,
    seen_at: datetime,
    position: Mapping[str, object] | None,
    most: int,
    digest: str,
) -> Brought:
    walk, start = _resumed(file, position)
    encoding, mark = _encoding(file)
    file.seek(start or mark)
    start = start or mark
    documents: dict[str, Document] = {}
    counts: Counter[str] = Counter()
    follow: dict[str, object] = {}
    known: tuple[dict[str, object], Chat] | None = None
    stop = 0
    read = 0
    for chat, posts, offset in _groups(messages_of(file, walk, encoding=encoding), walk, counts):
        if chat is None:
            continue
        if len(documents) >= most:
            stop = start + offset
            follow = {"stack": list(walk.shape), "chat": dict(chat)}
            break
        read += 1
        if known is None or known[0] is not chat:
            known = (chat, _chat(chat, walk.many, source=source, url=url))
        where = known[1]
        found, more = documents_of(
            [album(posts)], where, source=source, seen_at=seen_at, raw=digest, told=url
        )
        counts += more
        for document in found:
            counts["repeated"] += document.id in documents
            documents[document.id] = document
    if not walk.stack and not read and not walk.broken and walk.cut:
        return Brought(troubles=(Trouble(code="not-telegram", values={"reason": "reading"}, permanent=True),))
    if stop:
        file.seek(max(0, stop - _WINDOW))
        follow |= {
            "offset": stop,
            "before": hashlib.sha256(file.read(min(stop, _WINDOW))).hexdigest(),
            "more": True,
        }
    troubles = counted(counts)
    if walk.broken:
        troubles.append(Trouble(code="ill-formed-messages", values={"entries": walk.broken}))
    if walk.cut and not stop:
        troubles.append(Trouble(code="cut-short", values={"reason": "reading", "entries": len(documents)}))
    return Brought(documents=tuple(documents.values()), troubles=tuple(troubles), position=follow)


def _groups(
    messages: Iterator[tuple[dict[str, object], Mapping[str, object], int]], walk: Walk, counts: Counter[str]
) -> Iterator[tuple[dict[str, object] | None, list[Post], int]]:
    """Messages with those that belong to one album together; the offset is the first's."""
    chat: dict[str, object] | None = None
    group: list[Post] = []
    begins = 0
    passed: set[str] = set()
    for within, message, offset in messages:
        if walk.many and str(within.get("type", "")) in _PRIVATE:
            if (name := str(within.get("id") or within.get("name"))) not in passed:
                passed.add(name)
                counts["private-chats"] += 1
            continue
        if message.get("type", "message") != "message":
            continue
        post = _post(message, counts)
        if chat is within and belongs(post, group):
            group.append(post)
            continue
        if group:
            yield chat, group, begins
        chat, group, begins = within, [post], offset
    if group:
        yield chat, group, begins


def _chat(chat: Mapping[str, object], many: bool, *, source: Source, url: str) -> Chat:
    number = chat.get("id")
    return chat_of(
        source,
        title=one_line(chat.get("name")),
        number=str(number) if isinstance(number, int) else "",
        url=url,
        alone=not many,
    )


def _post(message: Mapping[str, object], counts: Counter[str]) -> Post:
    at = _time(message, "date")
    if at is not None and not message.get("date_unixtime"):
        counts["no-zone"] += 1
    text, links = _text(message.get("text_entities") or message.get("text"))
    more, media, files = _attached(message)
    links += _buttons(message.get("inline_bot_buttons"))
    forwarded = one_line(message.get("forwarded_from"))
    if not forwarded and "forwarded_from" in message:
        forwarded = one_line(message.get("forwarded_from_id"))  # the name of one who is gone is null
    reply = message.get("reply_to_message_id")
    elsewhere = "reply_to_peer_id" in message
    counts_of: dict[str, int] = {}
    if isinstance(reactions := message.get("reactions"), list):
        given = [r.get("count") for r in reactions[:1_000] if isinstance(r, dict)]
        if number := sum(count for count in given if isinstance(count, int)):
            counts_of["reactions"] = number
    number = message.get("id")
    return Post(
        number=str(number) if isinstance(number, int) else one_line(number),
        at=at,
        text="\n".join(part for part in (text, more) if part),
        links=tuple(links),
        author=one_line(message.get("author")) or one_line(message.get("from")),
        forwarded_from=forwarded,
        reply_to=str(reply) if isinstance(reply, int) and not elsewhere else "",
        edited=_time(message, "edited"),
        media=tuple(media),
        files=tuple(files),
        counts=counts_of,
        sender=one_line(message.get("from_id")),
    )


def _time(message: Mapping[str, object], name: str) -> datetime | None:
    """By `…_unixtime`; the other has no zone: it is the clock of the computer that exported, taken for UTC."""
    said = message.get(f"{name}_unixtime")
    if isinstance(said, str | int | float):
        try:
            at = datetime.fromtimestamp(int(said), tz=UTC)
        except (ValueError, OverflowError, OSError):
            at = None
        if at is not None:
            return at if at >= EARLIEST else None
    plain = message.get(name)
    return time_of(plain) if isinstance(plain, str) else None


def _text(said: object) -> tuple[str, list[str]]:
    """Plain text and links of a text that is a string, or a list of strings and marked pieces."""
    if isinstance(said, str):
        return said, []
    pieces: list[str] = []
    links: list[str] = []
    for piece in said if isinstance(said, list) else ():
        if isinstance(piece, str):
            pieces.append(piece)
        elif isinstance(piece, dict) and isinstance(words := piece.get("text"), str):
            kind = piece.get("type")
            pieces.append(f"\n{words}\n" if kind in ("blockquote", "pre") else words)
            if kind == "link":
                links.append(words)
            elif isinstance(href := piece.get("href"), str):
                links.append(href)
    return "".join(pieces), links


def _attached(message: Mapping[str, object]) -> tuple[str, list[str], list[str]]:
    """What a message says beside its text, what is attached, and the names of files."""
    lines: list[str] = []
    media: list[str] = []
    files: list[str] = []
    if "photo" in message:
        media.append("photo")
    file = message.get("file")
    kind = message.get("media_type")
    if file is not None or kind is not None:
        media.append(_MEDIA.get(str(kind), "file"))
    if media and media[-1] in ("file", "audio", "video"):
        name = message.get("file_name")
        if not isinstance(name, str) and isinstance(file, str) and media[-1] == "file":
            missing = _NOT_INCLUDED.fullmatch(file)
            name = missing[1] if missing else file.replace("\\", "/").rsplit("/", 1)[-1]
        if isinstance(name, str):
            files.append(name)
        if song := " — ".join(
            filter(None, (one_line(message.get("performer")), one_line(message.get("title"))))
        ):
            files.append(song)
    for name, head, items, item in (
        ("poll", "question", "answers", "text"),
        ("todo_list", "title", "items", "text"),
        ("invoice_information", "title", "", "description"),
    ):
        if isinstance(asked := message.get(name), dict):
            media.append("list" if name == "todo_list" else name.split("_")[0])
            lines.append(_text(asked.get(head))[0])
            options = asked.get(items) if items else [asked]
            for option in options[:100] if isinstance(options, list) else ():
                if isinstance(option, dict) and (words := _text(option.get(item))[0].strip()):
                    lines.append(f"— {words}")
    if isinstance(game := message.get("game_title"), str):
        lines += [game, str(message.get("game_description") or "")]
    if "place_name" in message:
        media.append("place")
        lines.append(
            ", ".join(filter(None, (one_line(message.get(name)) for name in ("place_name", "address"))))
        )
    return "\n".join(line for line in lines if line.strip()), media, files


def _buttons(rows: object) -> list[str]:
    """Where the buttons under a message lead."""
    found: list[str] = []
    for row in rows[:100] if isinstance(rows, list) else ():
        for button in row[:20] if isinstance(row, list) else ():
            if (
                isinstance(button, dict)
                and button.get("type") == "url"
                and isinstance(button.get("data"), str)
            ):
                found.append(str(button["data"]))
    return found


def _resumed(file: BinaryIO, position: Mapping[str, object] | None) -> tuple[Walk, int]:
    """The walk of the call before and its offset; a fresh one where the file is not that file any more."""
    position = position or {}
    offset, chat, stack = position.get("offset"), position.get("chat"), stack_of(position.get("stack"))
    if isinstance(offset, int) and offset > 0 and isinstance(chat, Mapping) and stack:
        file.seek(max(0, offset - _WINDOW))
        if hashlib.sha256(file.read(min(offset, _WINDOW))).hexdigest() == position.get("before"):
            return Walk(stack=stack, chat=dict(chat), many="list" in stack), offset
    return Walk(), 0


def _encoding(file: BinaryIO) -> tuple[str, int]:
    """The set of characters, and where the text begins: Telegram writes UTF-8, editors on Windows save other things."""
    file.seek(0)
    head = file.read(4)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8", 3
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return name, 2
    return "utf-8", 0
