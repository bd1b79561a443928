"""Photos and papers that come with a note: told by their bytes, kept in `raw/notes`, their text searchable."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from primeta.errors import BadInput, NotFound
from primeta.signals.note import Note, NoteFile
from primeta.signals.signal import Origin
from primeta.signals.texts.language import language_of
from primeta.sources.fetching.raw_store import RawStore
from primeta.sources.identity import document_id
from primeta.sources.records import Document, Source, SourceKind

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

SOURCE = "notes"
MOST_FILES = 10
LARGEST = 20 * 2**20
"""Bytes of one file."""
LONGEST_NAME = 120
LONGEST_TEXT = 500_000

Given = tuple[str, bytes]
"""A file's name, for reading only, and its bytes."""

_KINDS: dict[Origin, SourceKind] = {
    "voice": "interviews",
    "outside": "community",
    "competitor": "competitor",
    "regulator": "law",
    "hand": "community",
}
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_MARKUP = re.compile(r"\s*<(?:!doctype|html|svg|script|\?xml|\?php|!--|body|head|iframe)\b", re.IGNORECASE)
_STRAY = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def media_of(content: bytes) -> str:
    """What a file is by its bytes; empty for what is not taken: programs, web pages, anything unknown."""
    for start, media in _STARTS:
        if content.startswith(start):
            return media
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
        return "image/avif" if content[8:12] == b"avif" else "image/heic"
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    return "text/plain" if _is_text(content) else ""


def _office(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return ""
    # A paper with a program in it is a program.
    if "[Content_Types].xml" not in names or any("vbaproject" in name.lower() for name in names):
        return ""
    return next(
        (media for start, media in _OFFICE.items() if any(name.startswith(start) for name in names)), ""
    )


def _is_text(content: bytes) -> bool:
    from primeta.sources.feed_bytes import encoding_of

    if not content.strip() or content.startswith(b"#!"):
        return False
    text, _ = encoding_of(content[:65_536])
    odd = sum(letter < " " and letter not in "\t\n\r\f" for letter in text) + text.count("\ufffd")
    return odd * 1000 <= len(text) and not _MARKUP.match(text)


def checked(files: Sequence[Given]) -> tuple[tuple[NoteFile, bytes], ...]:
    """Files as they are kept, each once.

    Raises:
        BadInput: too many, too large, empty, or of a kind that is not taken.
    """
    if len(files) > MOST_FILES:
        raise BadInput(f"{len(files)} files were given; a note takes at most {MOST_FILES}")
    found: dict[str, tuple[NoteFile, bytes]] = {}
    for given, content in files:
        name = _name(given)
        if len(content) > LARGEST:
            raise BadInput(
                f"{name} is larger than {LARGEST // 2**20} MB; send a smaller copy or a link to it"
            )
        if not content:
            raise BadInput(f"{name} is empty")
        media = media_of(content)
        if not media:
            raise BadInput(
                f"{name} is of a kind that is not taken; expected a photo (PNG, JPEG, GIF, WebP, HEIC, TIFF), a PDF, "
                "a text or an Office paper without macros. Of a web page, save a PDF or log its link"
            )
        digest = hashlib.sha256(content).hexdigest()
        found.setdefault(
            digest, (NoteFile(digest=digest, name=name, media=media, size=len(content)), content)
        )
    return tuple(found.values())


def read_files(paths: Sequence[Path]) -> tuple[Given, ...]:
    """Files of this machine, as a person named them.

    Raises:
        NotFound, BadInput: one is missing, is no file or too large.
    """
    given: list[Given] = []
    for path in paths:
        if not path.exists():
            raise NotFound(f"there is no file {path}")
        if not path.is_file():
            raise BadInput(f"{path} is not a file")
        if path.stat().st_size > LARGEST:
            raise BadInput(
                f"{path.name} is larger than {LARGEST // 2**20} MB; send a smaller copy or a link to it"
            )
        given.append((path.name, path.read_bytes()))
    return tuple(given)


def keep(ws: Workspace, files: Sequence[tuple[NoteFile, bytes]], *, now: datetime) -> None:
    """Write the bytes down, before the note speaks of them.

    Raises:
        DiskFull: no room.
    """
    raw = RawStore(ws.folder / "raw")
    for file, content in files:
        raw.keep(SOURCE, content, at=now, media=file.media)


def note_file(ws: Workspace, note: str, digest: str) -> tuple[NoteFile, bytes]:
    """A file of a note with its bytes, to be shown or saved: never as a web page.

    Raises:
        NotFound: no such note, or no such file of it.
    """
    for one in ws.notes():
        for file in one.files if one.id == note else ():
            if file.digest == digest:
                return file, RawStore(ws.folder / "raw").read(SOURCE, digest)
    raise NotFound(f"there is no file {digest[:80]!r} of a note {note!r}")


def documents(ws: Workspace, note: Note, files: Sequence[tuple[NoteFile, bytes]]) -> tuple[Document, ...]:
    """The texts of a note's papers, so that they are found: said by whom the note names, on the note's day."""
    source = Source(
        name=SOURCE, reader="notes", kind=_KINDS[note.origin], at="", owner=note.source or note.by
    )
    said = datetime.combine(note.happened_at, time(12), tzinfo=ws.config.zone)
    found: dict[str, Document] = {}
    for file, content in files:
        for one in _texts(source, note, file, content):
            found[one.id] = replace(
                one,
                published_at=min(said, note.logged_at),
                seen_at=note.logged_at,
                title=one.title or f"{note.subject}: {file.name}",
                author=note.by,
                url=one.url or note.url,
                language=one.language or language_of(f"{one.title}\n{one.text}"),
                attributes={**one.attributes, "note": note.id, "file": file.name},
                raw=file.digest,
            )
    return tuple(found.values())


def _texts(source: Source, note: Note, file: NoteFile, content: bytes) -> tuple[Document, ...]:
    if file.media == "application/pdf":
        from primeta.sources.pdf import read_pdf

        return read_pdf(content, source=source, media=file.media, url="", seen_at=note.logged_at).documents
    if file.media != "text/plain":
        return ()
    from primeta.sources.feed_bytes import encoding_of
    from primeta.sources.html_text import tidy

    text, _ = encoding_of(content)
    return (
        Document(
            id=document_id(SOURCE, f"{note.id}\0{file.digest}"),
            source=SOURCE,
            owner=source.owner,
            kind=source.kind,
            published_at=None,
            seen_at=note.logged_at,
            title="",
            text=tidy(text)[:LONGEST_TEXT],
        ),
    )


def _name(given: str) -> str:
    """The last part of a name, without signs that mislead a reader."""
    last = _STRAY.sub("", given.replace("\\", "/").rsplit("/", 1)[-1]).strip().lstrip(".")
    return last[-LONGEST_NAME:] or "file"
