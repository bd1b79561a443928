"""Which files a source names, and which of them have changed since they were read."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from primeta.sources.records import Reader, Source, Trouble

KEPT_BYTES = 20 * 2**20
"""A larger file is read where it lies and not copied into `raw/`."""
SETTLE_SECONDS = 0.2
"""A file that grows within so long is being written."""
MOST_FILES = 50_000

_UNFINISHED = (".part", ".tmp", ".crdownload", ".download", ".swp")
_ENDINGS: Mapping[Reader, tuple[str, ...]] = {
    "table": (".csv", ".tsv", ".xlsx", ".parquet"),
    "mail": (".mbox", ".eml", ""),
    "pdf": (".pdf",),
    "feed": (".xml", ".rss", ".atom", ".json"),
    "page": (".html", ".htm"),
    "telegram": (".json", ".html", ".htm"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a file is like from outside: whoever writes to it changes this."""

    size: int
    changed_ns: int

    def as_list(self) -> list[int]:
        return [self.size, self.changed_ns]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Files of a source."""

    files: tuple[tuple[str, Path, Mark], ...]
    """(name relative to the workspace, path, mark), by name."""
    troubles: tuple[Trouble, ...] = ()


def find_files(folder: Path, source: Source) -> Found:
    """The files that `source.at` names, a folder with all in it that its reader reads."""
    troubles: list[Trouble] = []
    named: dict[str, tuple[Path, Mark]] = {}
    base = _base(folder, source.at)
    inside = base.resolve()
    for path in _named(folder, source):
        name = path.relative_to(folder).as_posix()
        try:
            if not path.resolve().is_relative_to(inside):
                troubles.append(Trouble(code="outside", values={"at": name}))
                continue
            seen = path.stat()
        except OSError as error:
            troubles.append(
                Trouble(code="no-right", values={"at": name, "why": error.strerror or str(error)})
            )
            continue
        named[name] = path, Mark(size=seen.st_size, changed_ns=seen.st_mtime_ns)
        if len(named) >= MOST_FILES:
            break
    if not named and not troubles:
        troubles.append(Trouble(code="no-file", values={"at": source.at}))
    return Found(files=tuple((name, *named[name]) for name in sorted(named)), troubles=tuple(troubles))


def changed(found: Found, known: Mapping[str, Any]) -> tuple[tuple[str, Path, Mark], ...]:
    """Those that look otherwise than when they were read."""
    return tuple(entry for entry in found.files if list(known.get(entry[0], [])[:2]) != entry[2].as_list())


def settled(files: Sequence[tuple[str, Path, Mark]]) -> Iterator[tuple[str, Path, Mark, bool]]:
    """Each file with whether it still looks the same."""
    for name, path, mark in files:
        yield name, path, mark, is_same(path, mark)


def is_same(path: Path, mark: Mark) -> bool:
    try:
        seen = path.stat()
    except OSError:
        return False
    return mark == Mark(size=seen.st_size, changed_ns=seen.st_mtime_ns)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, a megabyte at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def media_of(name: str) -> str:
    """The type that the ending tells; a hint."""
    told = {
        ".parquet": "application/vnd.apache.parquet",
        ".eml": "message/rfc822",
        ".mbox": "application/mbox",
    }
    ending = os.path.splitext(name)[1].lower()
    return told.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _base(folder: Path, at: str) -> Path:
    """The folder before the first wild card: what a person named, wherever its links lead."""
    parts: list[str] = []
    for part in Path(at).parts:
        if any(sign in part for sign in "*?["):
            break
        parts.append(part)
    path = folder.joinpath(*parts)
    return path if path.is_dir() else path.parent


def _named(folder: Path, source: Source) -> Iterator[Path]:
    path = folder / source.at
    if path.is_dir():
        endings = _ENDINGS.get(source.reader, ())
        for where, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (
                Path(where, name)
                for name in sorted(names)
                if _is_finished(name) and os.path.splitext(name)[1].lower() in endings
            )
    elif any(sign in source.at for sign in "*?["):
        try:
            yield from (one for one in folder.glob(source.at) if one.is_file() and _is_finished(one.name))
        except (ValueError, NotImplementedError):
            return
    elif path.is_file():
        yield path


def _is_finished(name: str) -> bool:
    return not name.startswith((".", "~$")) and not name.lower().endswith(_UNFINISHED)
