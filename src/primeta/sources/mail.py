"""Mail as documents: a mailbox file (mbox) of newsletters, or one saved mail (eml). One mail is one document."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from primeta.facts import Provenance
from primeta.sources.apart import apart
from primeta.sources.feed_dates import time_of
from primeta.sources.html_text import one_line
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.mail_mbox import LARGEST_MAIL, Found, mails_of, position_of, resumed
from primeta.sources.mail_parts import Parts, parts_of
from primeta.sources.mail_sender import sender_of, site_of_address
from primeta.sources.mail_text import bare_subject, said
from primeta.sources.records import Brought, Document, Source, Trouble

MOST_DOCUMENTS = 5_000
"""Of one call; `position` then says `more`."""
SECONDS = 30.0
"""For one batch."""
AHEAD = timedelta(days=2)

_BATCH = 50
_BATCH_BYTES = 8 * 2**20
_THROWN_AWAY = frozenset({"spam", "trash", "drafts", "draft", "спам", "корзина", "черновики", "черновик"})
_HEADERS = re.compile(rb"\s*(?:>?From [^\r\n]{0,500}\r?\n)?[!-9;-~]{1,76}:")
_OUTLOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_mail(
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
    """The mails of a mailbox or of a saved mail, each one document, read in a process apart in batches.

    Args:
        raw: The file or its bytes. A mailbox is read where it lies, a mail at a time.
        position: Of the call before; reading goes on behind the mails that were read then. A mailbox that was rewritten
            is read from its beginning; ids stay the same.
        most: Documents of one call, about; `position["more"]` is true while mails are left.
    Returns:
        Never an exception. Troubles: `not-mail`, `unreadable`; beside documents `too-slow`, `bomb`, `unreadable` of one
        mail, `large-mails`, `many-parts`, `automatic`, `thrown-away`, `empty`, `no-date`, `future-date`, `repeated`.
    """
    try:
        with io.BytesIO(raw) if isinstance(raw, bytes) else raw.open("rb") as file:
            return _read(file, source=source, url=url, seen_at=seen_at, position=position, most=most)
    except OSError as error:
        why = type(error).__name__
        return Brought(troubles=(Trouble(code="unreadable", values={"reason": "reading", "why": why}),))


def read_mails_here(
    raws: Sequence[bytes], *, source: Source, seen_at: datetime
) -> tuple[list[Document | None], Counter[str]]:
    """The document of each mail, None for one that says nothing; in this process, without limits."""
    counts: Counter[str] = Counter()
    provenance = Provenance(source=source.at, seen_until=seen_at, code_version=version("primeta"))
    documents: list[Document | None] = []
    for raw in raws:
        document = _document(raw, source=source, seen_at=seen_at, counts=counts)
        if document is not None:
            document = replace(document, raw=hashlib.sha256(raw).hexdigest(), provenance=provenance)
        documents.append(document)
    return documents, counts


def _read(
    file: BinaryIO,
    *,
    source: Source,
    url: str,
    seen_at: datetime,
    position: Mapping[str, object] | None,
    most: int,
) -> Brought:
    file.seek(0)
    head = file.read(4_096)
    start = head.lstrip(b"\xef\xbb\xbf\r\n")
    if not start.strip():
        return Brought()
    mailbox = start.startswith(b"From ")
    if not mailbox and not _HEADERS.match(start) and not _emlx(start):
        values: dict[str, object] = {"reason": "reading"}
        if head.startswith(_OUTLOOK):
            values["what"] = "outlook"
        return Brought(troubles=(Trouble(code="not-mail", values=values, permanent=True),))
    if mailbox:
        begin = resumed(file, position)
        mails = mails_of(file, start=begin)
    else:
        mails = iter([_single(file)])
        begin = 0
    documents: dict[str, Document] = {}
    troubles: list[Trouble] = []
    counts: Counter[str] = Counter()
    last = end = begin
    more = False
    for batch in _batches(mails):
        for found in batch:
            counts["large-mails"] += found.size > LARGEST_MAIL
            last, end = found.offset, found.offset + found.size
        for document in _documents(batch, source=source, seen_at=seen_at, counts=counts, troubles=troubles):
            if document.id in documents:
                counts["repeated"] += 1
            else:
                documents[document.id] = document
        if len(documents) >= most:
            more = True
            break
    troubles += [
        Trouble(code=code, values={"entries": number}) for code, number in sorted(counts.items()) if number
    ]
    follow: dict[str, object] = {}
    if mailbox and end > begin:
        follow = position_of(file, end, last)
        if more and next(mails_of(file, start=end), None) is not None:
            follow["more"] = True
    elif mailbox:
        follow = {name: value for name, value in (position or {}).items() if name != "more"}
    return Brought(documents=tuple(documents.values()), troubles=tuple(troubles), position=follow)


def _single(file: BinaryIO) -> Found:
    file.seek(0)
    raw = file.read(LARGEST_MAIL)
    size = file.seek(0, 2)
    raw = raw.lstrip(b"\xef\xbb\xbf\r\n")
    if _emlx(raw):
        line, _, rest = raw.partition(b"\n")
        raw = rest[: int(line)]
    return Found(0, size, raw)


def _emlx(raw: bytes) -> bool:
    """Whether it is a mail as Apple's Mail keeps it: its length stands in the first line."""
    line, _, rest = raw[:4_096].partition(b"\n")
    return len(line) < 20 and line.strip().isdigit() and bool(_HEADERS.match(rest))


def _batches(mails: Iterator[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for found in mails:
        batch.append(found)
        size += len(found.raw)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _documents(
    batch: Sequence[Found],
    *,
    source: Source,
    seen_at: datetime,
    counts: Counter[str],
    troubles: list[Trouble],
) -> Iterator[Document]:
    """The documents of a batch; where one mail stops all, each is read alone and that one is left out."""
    read = apart(
        read_mails_here, [found.raw for found in batch], source=source, seen_at=seen_at, seconds=SECONDS
    )
    if isinstance(read, Trouble):
        if len(batch) == 1:
            troubles.append(read)
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            yield from _documents(half, source=source, seen_at=seen_at, counts=counts, troubles=troubles)
        return
    documents, more = read
    counts.update(more)
    yield from (document for document in documents if document is not None)


def _document(raw: bytes, *, source: Source, seen_at: datetime, counts: Counter[str]) -> Document | None:
    mail = parts_of(raw)
    if mail.passed:
        counts["many-parts"] += 1
    if mail.automatic or mail.first("auto-submitted").lower().startswith("auto-repl"):
        counts["automatic"] += 1
        return None
    if _is_thrown_away(mail):
        counts["thrown-away"] += 1
        return None
    sender = sender_of(mail)
    title = one_line(mail.first("subject"), longest=1_000)
    words = said(mail)
    text, links = words.text, dict.fromkeys(words.links)
    forwarded = site_of_address(words.original)
    nested = next((inner for inner in mail.nested), None)
    if nested is not None:
        inner = said(nested)
        text = "\n".join(filter(None, (text, inner.text)))
        links |= dict.fromkeys(inner.links)
        forwarded = forwarded or sender_of(nested).owner
        title = title or one_line(nested.first("subject"), longest=1_000)
    if forwarded:
        title = bare_subject(title)
        if forwarded == sender.owner:
            forwarded = ""
    if not title and not text:
        counts["empty"] += 1
        return None
    published = _time(mail)
    if published is None or published > seen_at + AHEAD:
        counts["no-date" if published is None else "future-date"] += 1
        published = None
    attributes: dict[str, str] = {}
    if sender.list_id:
        attributes["list"] = sender.list_id
    names = dict.fromkeys((*mail.attachments, *(nested.attachments if nested else ())))
    if names:
        attributes["attachments"] = ", ".join(list(names)[:20])
    address = words.web or canonical_link(mail.first("archived-at").strip("<> "))
    links.pop(address, None)
    # An owner that a person named counts for all that comes; a source's bare name says nothing of who speaks.
    declared = source.owner if source.owner != source.name else ""
    native = mail.first("message-id").strip("<> ")[:1_000]
    return Document(
        id=document_id(source.name, native or f"{published}\n{sender.address}\n{title}\n{text}"),
        source=source.name,
        owner=declared or sender.owner or source.owner,
        kind=source.kind,
        published_at=published,
        seen_at=seen_at,
        title=title,
        text=text,
        url=address,
        author=sender.name or sender.address,
        language=source.language,
        links=tuple(links),
        forwarded_from=forwarded,
        attributes=attributes,
    )


def _is_thrown_away(mail: Parts) -> bool:
    """Whether a mail only lies there still: deleted in Thunderbird or mutt and not yet swept out; spam, bin and drafts of
    Gmail's Takeout; the mail in which a server keeps its own notes."""
    with contextlib.suppress(ValueError):
        if int(mail.first("x-mozilla-status") or "0", 16) & 0x0008:
            return True
    if "D" in mail.first("x-status") or "x-imap" in mail.headers:
        return True
    labels = {label.strip().strip('"').lower() for label in mail.first("x-gmail-labels").split(",")}
    return bool(labels & _THROWN_AWAY)


def _time(mail: Parts) -> datetime | None:
    """When it was sent; else when the last server took it in."""
    for name in ("date", "resent-date"):
        if at := time_of(mail.first(name)[:100]):
            return at
    for received in mail.headers.get("received", ())[:3]:
        if at := time_of(received.rpartition(b";")[2].decode("ascii", "replace").strip()[:100]):
            return at
    return None
