"""One source asked once: what comes is kept first, then read; each step is whole in itself and is written down at once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from primeta.errors import BadInput, DiskFull
from primeta.signals.texts.language import language_of
from primeta.sources.declare import is_address
from primeta.sources.fetching.client import Fetcher
from primeta.sources.fetching.raw_store import RawStore
from primeta.sources.fetching.records import Known, NotModified
from primeta.sources.read import GOES_ON, failed, read
from primeta.sources.records import Brought, Document, Raw, Source, Trouble
from primeta.store.documents import distinct
from primeta.store.sources import Fetch, SourceState
from primeta.workspace.collect_files import (
    KEPT_BYTES,
    SETTLE_SECONDS,
    Mark,
    changed,
    digest_of,
    find_files,
    is_same,
    media_of,
)

MOST_FOLLOWED = 20
"""Pages that one collection follows from a source; the rest waits for the next."""
MOST_WAITING = 200
TOGETHER = 2_000
"""Documents, or…"""
FILES_TOGETHER = 100
"""… files of one source that are written down in one go."""
HISTORY_DAYS = 366
"""Older posts than this are not followed."""
MOST_PARTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of what a source brought, to be written down in one go with where it goes on."""

    documents: tuple[Document, ...] = ()
    came: tuple[Fetch, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    position: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Trouble, ...] = ()
    """Parts that could not be read."""
    trouble: Trouble | None = None
    """Why nothing came of it at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What asking needs beside the source."""

    fetcher: Fetcher
    raw: RawStore
    folder: Path
    now: datetime
    is_known: Callable[[Sequence[Document]], int]
    """How many of these documents are written already."""
    voices: Callable[[Source, Mapping[str, object]], Iterator[Brought]]
    """The workspace's own voices that were not read yet, portion by portion."""
    timezone: str = "UTC"
    """Of times that a table writes without one."""
    sleep: Callable[[float], object] = time.sleep


def ask(state: SourceState, asking: Asking, *, orphans: Sequence[str] = ()) -> Iterator[Step]:
    """Everything that a source has to say now, step by step.

    Args:
        orphans: Digests of what is kept and was never written down: a collector was killed between the two.
    """
    known, position = dict(state.known), dict(state.position)
    source = state.source
    if source.reader == "voices":
        yield from _voices(source, asking, known, position)
    elif is_address(source.at):
        for digest in orphans:
            yield from _orphan(source, digest, asking, known, position)
        yield from _address(source, asking, known, position)
    else:
        # A file that is still there is read where it lies; what was kept of one that is gone comes after.
        read_now: set[str] = set()
        step = Step(known=known, position=position)
        for step in _files(source, asking, known, position):
            read_now.update(fetch.raw.digest for fetch in step.came)
            yield step
        for digest in orphans:
            if digest not in read_now:
                for part in _orphan(source, digest, asking, step.known, step.position):
                    unknown = tuple(one for one in part.documents if not asking.is_known([one]))
                    yield replace(part, documents=unknown, trouble=step.trouble)


def finished(found: Brought, source: Source) -> tuple[Document, ...]:
    """Documents as they are written: each once, each with its language where it can be told."""
    return tuple(
        one
        if one.language
        else replace(one, language=source.language or language_of(f"{one.title}\n{one.text}"))
        for one in distinct(found.documents)
    )


def _orphan(
    source: Source, digest: str, asking: Asking, known: Mapping[str, Any], position: Mapping[str, Any]
) -> Iterator[Step]:
    """What a collector kept before it was killed: read as if it had come just now."""
    try:
        content = asking.raw.read(source.name, digest)
        kept = next(one for one in asking.raw.list(source.name) if one.digest == digest)
        at = datetime.fromtimestamp(kept.path.stat().st_mtime, UTC)
    except (BadInput, OSError):
        return
    media = media_of(kept.path.name.removesuffix(".gz"))
    raw = Raw(
        source=source.name,
        digest=digest,
        at=min(at, asking.now),
        url=source.at,
        media="" if media == "application/octet-stream" else media,
        size=len(content),
    )
    before = _version(source, asking, known)
    yield from _portions(content, raw, source, asking, before=before, known=known, position=position)


def _voices(
    source: Source, asking: Asking, known: dict[str, Any], position: dict[str, Any]
) -> Iterator[Step]:
    found = Brought()
    for found in asking.voices(source, position):
        position |= found.position
        yield Step(
            documents=finished(found, source),
            known=known,
            position=dict(position),
            parts=found.troubles[:MOST_PARTS],
        )
    yield Step(known=known, position=dict(position), trouble=failed(found))


def _address(
    source: Source, asking: Asking, known: dict[str, Any], position: dict[str, Any]
) -> Iterator[Step]:
    moved = str(known.get("moved_to", ""))
    there = replace(source, at=moved) if moved else source
    answer = asking.fetcher.fetch(
        there,
        now=asking.now,
        known=Known(
            etag=str(known.get("etag", "")),
            modified=str(known.get("modified", "")),
            url=str(known.get("url", "")),
        ),
    )
    parts: list[Trouble] = []
    waiting = [str(url) for url in position.get("follow", ())]
    if isinstance(answer, Trouble):
        # It is asked at its own address again: who moved it may have been mistaken.
        known.pop("moved_to", None)
        yield Step(
            came=(_refused(source, there.at, answer, asking.now),),
            known=known,
            position=position,
            trouble=answer,
        )
        return
    if answer.moved_to and answer.moved_to != source.at:
        known["moved_to"] = answer.moved_to
    if known.get("moved_to"):
        parts.append(Trouble(code="moved", values={"to": known["moved_to"]}))
    if isinstance(answer, NotModified):
        known |= {"etag": answer.etag, "modified": answer.modified, "url": answer.url}
        yield Step(known=dict(known), position=dict(position), parts=tuple(parts))
    else:
        fresh = {"etag": answer.raw.etag, "modified": answer.raw.modified, "url": answer.raw.url}
        if answer.raw.digest == known.get("digest"):
            known |= fresh
            yield Step(known=dict(known), position=dict(position), parts=tuple(parts))
        else:
            full = _kept(source, answer.content, answer.raw, asking)
            if full is not None:
                yield Step(
                    came=(_refused(source, answer.raw.url, full, asking.now),),
                    known=known,
                    position=position,
                    trouble=full,
                )
                return
            before = _version(source, asking, known)
            found = _read(answer.content, answer.raw, source, asking, before=before)
            trouble = failed(found)
            if trouble is None:
                # What could not be read is asked for again, whole: the next answer may be better.
                known |= {**fresh, "digest": answer.raw.digest}
            waiting = _waiting(waiting, found, asking)
            position["follow"] = waiting
            yield _step(source, answer.raw, found, trouble, asking, known, position, tuple(parts))
            if trouble is not None:
                return
    yield from _follow(source, asking, known, position, waiting)


def _follow(
    source: Source, asking: Asking, known: dict[str, Any], position: dict[str, Any], waiting: list[str]
) -> Iterator[Step]:
    asked: set[str] = set()
    while waiting and len(asked) < MOST_FOLLOWED:
        url = waiting.pop(0)
        if url in asked:
            continue
        asked.add(url)
        answer = asking.fetcher.fetch(source, now=asking.now, url=url)
        if isinstance(answer, Trouble):
            if not answer.permanent and answer.code != "not-found":
                # The host wants rest, or does not answer: this page and those behind it wait.
                waiting.insert(0, url)
            position["follow"] = list(waiting)
            yield Step(
                came=(_refused(source, url, answer, asking.now),),
                known=dict(known),
                position=dict(position),
                parts=(_of_follow(url, answer),),
            )
            if waiting and waiting[0] == url:
                return
            continue
        if isinstance(answer, NotModified):
            continue
        full = _kept(source, answer.content, answer.raw, asking)
        if full is not None:
            position["follow"] = [url, *waiting]
            yield Step(known=dict(known), position=dict(position), parts=(full,))
            return
        found = _read(answer.content, answer.raw, source, asking)
        trouble = failed(found)
        waiting[:] = _waiting(waiting, found, asking, but=asked)
        position["follow"] = list(waiting)
        parts = () if trouble is None else (_of_follow(url, trouble),)
        yield _step(source, answer.raw, found, None, asking, known, position, parts)
    if waiting:
        more = Trouble(code="more-waits", values={"pages": len(waiting)})
        yield Step(known=dict(known), position=dict(position), parts=(more,))


def _waiting(waiting: list[str], found: Brought, asking: Asking, but: set[str] | None = None) -> list[str]:
    """Addresses to be fetched next: behind what was known already nothing new lies, nor behind what is too old."""
    told = [one.published_at for one in found.documents if one.published_at is not None]
    old = bool(told) and (asking.now - max(told)).days > HISTORY_DAYS
    fresh = bool(found.documents) and not asking.is_known(found.documents)
    more = [url for url in found.follow if url not in (but or ())] if fresh and not old else []
    return list(dict.fromkeys((*waiting, *more)))[:MOST_WAITING]


def _files(source: Source, asking: Asking, known: dict[str, Any], position: dict[str, Any]) -> Iterator[Step]:
    there = find_files(asking.folder, source)
    names = {name for name, _, _ in there.files}
    work = _FileWork(
        known=known,
        position=position,
        marks={name: mark for name, mark in dict(known.get("files", {})).items() if name in names},
        places={name: place for name, place in dict(position.get("files", {})).items() if name in names},
        parts=list(there.troubles if there.files else there.troubles[1:]),
        # Where not one file may be read, that is what is wrong with the source.
        trouble=None if there.files else next(iter(there.troubles), None),
    )
    todo = changed(there, work.marks)
    if todo:
        asking.sleep(SETTLE_SECONDS)
    for name, path, mark in todo:
        for whole in _file(source, name, path, mark, asking, work):
            if whole is not None and (len(there.files) == 1 or whole.code == "disk-full"):
                work.trouble = whole
            if work.is_enough():
                yield work.step()
        if work.trouble is not None and work.trouble.code == "disk-full":
            break
    yield work.step()


@dataclass(slots=True, kw_only=True)
class _FileWork:
    """What was read of files and is not written down yet."""

    known: dict[str, Any]
    position: dict[str, Any]
    marks: dict[str, Any]
    places: dict[str, Any]
    parts: list[Trouble]
    trouble: Trouble | None
    documents: dict[str, Document] = field(default_factory=dict)
    came: list[Fetch] = field(default_factory=list)

    def is_enough(self) -> bool:
        return len(self.documents) >= TOGETHER or len(self.came) >= FILES_TOGETHER

    def step(self) -> Step:
        done = Step(
            documents=tuple(self.documents.values()),
            came=tuple(self.came),
            known={**self.known, "files": dict(self.marks)},
            position={**self.position, "files": dict(self.places)},
            parts=tuple(self.parts[:MOST_PARTS]),
            trouble=self.trouble,
        )
        self.documents, self.came, self.parts = {}, [], []
        return done


def _file(
    source: Source, name: str, path: Path, mark: Mark, asking: Asking, work: _FileWork
) -> Iterator[Trouble | None]:
    """A file read portion by portion; yields, after each, why nothing of the file could be read."""
    writing = Trouble(code="being-written", values={"at": name})
    if not is_same(path, mark):
        work.parts.append(writing)
        return
    try:
        content = path.read_bytes() if mark.size <= KEPT_BYTES else None
        digest = digest_of(path) if content is None else hashlib.sha256(content).hexdigest()
    except OSError as error:
        work.parts.append(Trouble(code="no-right", values={"at": name, "why": error.strerror or str(error)}))
        return
    if not is_same(path, mark):
        work.parts.append(writing)
        return
    raw = Raw(
        source=source.name, digest=digest, at=asking.now, url=name, media=media_of(name), size=mark.size
    )
    before = list(work.marks.get(name, ()))
    work.marks.pop(name, None)
    if before[2:] == [digest]:
        # Touched, not changed.
        work.marks[name] = [*mark.as_list(), digest]
        return
    if content is not None:
        full = _kept(source, content, raw, asking)
        if full is not None:
            work.parts.append(full)
            yield full
            return
    older = _version(source, asking, {"digest": before[2]}) if len(before) > 2 else None
    # A page, a feed and a paper are read from the bytes that were kept; what goes on is read where it lies.
    inside = path if content is None or source.reader in GOES_ON else content
    first = True
    for found in _readings(inside, raw, source, asking, before=older, position=work.places.get(name)):
        fresh = finished(found, source)
        whole = failed(found)
        more = bool(found.position.get("more"))
        new = len(fresh) - asking.is_known(fresh)
        work.documents |= {document.id: document for document in fresh}
        work.parts += (Trouble(code=part.code, values={**part.values, "at": name}) for part in found.troubles)
        if found.position:
            work.places[name] = dict(found.position)
        if not more and is_same(path, mark):
            work.marks[name] = [*mark.as_list(), digest]
        if first or fresh or not more:
            state = "failed" if whole else "read"
            # The digest stands at the last portion: until then the file is not done.
            kept = raw if not more else replace(raw, digest="")
            work.came.append(Fetch(raw=kept, state=state, found=len(fresh), new=new, trouble=whole))
        first = False
        yield whole


def _readings(
    content: bytes | Path,
    raw: Raw,
    source: Source,
    asking: Asking,
    *,
    before: bytes | None = None,
    position: Mapping[str, object] | None = None,
) -> Iterator[Brought]:
    return read(
        content,
        source=source,
        media=raw.media,
        encoding=raw.encoding,
        url=raw.url if is_address(raw.url) else "",
        seen_at=raw.at,
        position=position,
        before=before,
        timezone=asking.timezone,
    )


def _read(
    content: bytes, raw: Raw, source: Source, asking: Asking, *, before: bytes | None = None
) -> Brought:
    """What a fetched thing reads as, all of it."""
    return whole_of(_readings(content, raw, source, asking, before=before))


def whole_of(portions: Iterator[Brought]) -> Brought:
    """Portions as one; the follow-ups and the position are those of the last."""
    documents: list[Document] = []
    troubles: list[Trouble] = []
    last = Brought()
    for last in portions:
        documents += last.documents
        troubles += last.troubles
    return replace(last, documents=tuple(documents), troubles=tuple(troubles))


def _portions(
    content: bytes,
    raw: Raw,
    source: Source,
    asking: Asking,
    *,
    before: bytes | None,
    known: Mapping[str, Any],
    position: Mapping[str, Any],
) -> Iterator[Step]:
    """Kept bytes read portion by portion, each written down; the last one says that they are done."""
    for found in _readings(content, raw, source, asking, before=before):
        part = replace(raw, digest="") if found.position.get("more") else raw
        yield _step(source, part, found, failed(found), asking, known, position)


def _version(source: Source, asking: Asking, known: Mapping[str, Any]) -> bytes | None:
    """Of a watched page, the version that was read last."""
    digest = str(known.get("digest", ""))
    if source.reader != "page" or not source.changes or not digest:
        return None
    try:
        return asking.raw.read(source.name, digest)
    except BadInput:
        return None


def _kept(source: Source, content: bytes, raw: Raw, asking: Asking) -> Trouble | None:
    try:
        asking.raw.keep(source.name, content, at=raw.at, media=raw.media)
    except DiskFull as full:
        return Trouble(code="disk-full", values={"why": str(full)})
    return None


def _step(
    source: Source,
    raw: Raw,
    found: Brought,
    trouble: Trouble | None,
    asking: Asking,
    known: Mapping[str, Any],
    position: Mapping[str, Any],
    parts: tuple[Trouble, ...] = (),
) -> Step:
    documents = finished(found, source)
    new = len(documents) - asking.is_known(documents)
    fetch = Fetch(
        raw=raw, state="read" if trouble is None else "failed", found=len(documents), new=new, trouble=trouble
    )
    told = tuple(part for part in found.troubles if part is not trouble)
    return Step(
        documents=documents,
        came=(fetch,),
        known=dict(known),
        position=dict(position),
        parts=(*parts, *told)[:MOST_PARTS],
        trouble=trouble,
    )


def _refused(source: Source, url: str, trouble: Trouble, now: datetime) -> Fetch:
    raw = Raw(source=source.name, digest="", at=now, url=url, media="", size=0)
    return Fetch(raw=raw, state="failed", trouble=trouble)


def _of_follow(url: str, trouble: Trouble) -> Trouble:
    return Trouble(code="follow", values={**trouble.values, "url": url, "code": trouble.code})
