"""What sources brought, as it came: `raw/SOURCE/YYYY-MM/DIGEST.EXT.gz`, whole or not there at all."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from primeta.errors import BadInput, DiskFull, NotFound

_EXTENSIONS = {
    "application/rss+xml": "xml",
    "application/atom+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/feed+json": "json",
    "application/json": "json",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/csv": "csv",
    "message/rfc822": "eml",
}
_KEPT = re.compile(r"(?P<digest>[0-9a-f]{64})\.(?P<ending>[a-z0-9]{1,8})\.gz")
_MONTH = re.compile(r"\d{4}-\d{2}")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_STALE_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing that lies in `raw/`."""

    source: str
    digest: str
    """SHA-256 of the bytes as they came, unpacked."""
    month: str
    path: Path
    stored_bytes: int
    """On disk, packed."""
    new: bool = False
    """It was not there before."""


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class RawStore:
    """The folder `raw/` of a workspace.

    Args:
        spare_bytes: Room that is left on the disk for everything else.
        cap_bytes: Most that one source may take, packed; a source that talks without end stops here.
        free_bytes: How much room a folder's disk has.
    """

    def __init__(
        self,
        folder: Path,
        *,
        spare_bytes: int = 256 * 2**20,
        cap_bytes: int = 4 * 2**30,
        free_bytes: Callable[[Path], int] = _free_bytes,
    ) -> None:
        self._folder = folder
        self._spare = spare_bytes
        self._cap = cap_bytes
        self._free = free_bytes
        self._index: dict[str, dict[str, Kept]] = {}
        self._taken: dict[str, int] = {}

    def keep(self, source: str, content: bytes, *, at: datetime, media: str = "") -> Kept:
        """Write bytes down before they are read, so that nothing is lost; the same bytes of a source only once.

        Args:
            at: Aware; names the month (UTC).
        Raises:
            DiskFull: The disk, or the source's share of it, has no room. Nothing was written.
        """
        digest = hashlib.sha256(content).hexdigest()
        if source not in self._index:
            self._sweep(source, at)
        known = self._known(source)
        there = known.get(digest)
        if there is not None:
            if there.path.exists():
                return there
            self._taken[source] -= known.pop(digest).stored_bytes  # somebody has deleted it
        packed = gzip.compress(content, compresslevel=6, mtime=0)
        self._make_room(source, len(packed))
        month = at.astimezone(UTC).strftime("%Y-%m")
        place = self._of(source) / month
        path = place / f"{digest}.{_EXTENSIONS.get(media, 'bin')}.gz"
        try:
            place.mkdir(parents=True, exist_ok=True)
            _write(path, packed)
        except OSError as error:
            if error.errno in _FULL:
                raise DiskFull(
                    f"no room on the disk to keep what source {source!r} brought ({len(packed):,} bytes in "
                    f"{place}): make room and run again; nothing was half-written"
                ) from None
            raise
        self._taken[source] += len(packed)
        kept = Kept(source=source, digest=digest, month=month, path=path, stored_bytes=len(packed), new=True)
        known[digest] = Kept(
            source=source, digest=digest, month=month, path=path, stored_bytes=len(packed), new=False
        )
        return kept

    def read(self, source: str, digest: str) -> bytes:
        """The bytes as they came.

        Raises:
            NotFound: Nothing of this digest is kept for this source.
            BadInput: The file is damaged: what it holds is not what its name says.
        """
        kept = self._known(source).get(digest)
        if kept is None or not kept.path.exists():
            raise NotFound(f"source {source!r} has nothing kept under {digest[:80]!r} in {self._of(source)}")
        try:
            content = gzip.decompress(kept.path.read_bytes())
        except (OSError, EOFError, ValueError) as error:
            raise BadInput(
                f"{kept.path} is damaged ({error}): delete it, and it will be fetched again"
            ) from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise BadInput(
                f"{kept.path} does not hold what its name says: delete it, and it will be fetched again"
            )
        return content

    def list(self, source: str) -> Iterator[Kept]:
        """Everything that is kept for a source, by month, then digest."""
        yield from sorted(self._known(source).values(), key=lambda kept: (kept.month, kept.digest))

    def stored_bytes(self, source: str) -> int:
        self._known(source)
        return self._taken[source]

    def sweep(self, source: str) -> None:
        """Remove what a process that was killed while it wrote has left. The caller knows that nobody writes now."""
        for part in self._of(source).glob("*/.*.part"):
            with contextlib.suppress(OSError):
                part.unlink()

    def _make_room(self, source: str, needed: int) -> None:
        taken = self._taken[source]
        if taken + needed > self._cap:
            raise DiskFull(
                f"source {source!r} has brought {taken:,} bytes and may keep {self._cap:,}: "
                f"archive old months of {self._of(source)}, or pause the source"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        free = self._free(self._folder)
        if free - needed < self._spare:
            raise DiskFull(
                f"{free:,} bytes are free where {self._folder} lies; {needed:,} are needed and {self._spare:,} stay "
                "free for everything else: make room and run again; nothing was written"
            )

    def _of(self, source: str) -> Path:
        """A folder that a name cannot lead out of: letters, digits, "-" and "_"; anything else by its digest."""
        if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", source):
            return self._folder / source
        words = re.sub(r"[^\w-]+", "-", source.lower()).strip("-_")[:32]
        mark = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        # "~" is in no plain name, so the two kinds never meet.
        return self._folder / f"{words}~{mark}"

    def _known(self, source: str) -> dict[str, Kept]:
        if source not in self._index:
            self._index[source] = dict(self._scan(source))
            self._taken[source] = sum(kept.stored_bytes for kept in self._index[source].values())
        return self._index[source]

    def _scan(self, source: str) -> Iterator[tuple[str, Kept]]:
        place = self._of(source)
        if not place.is_dir():
            return
        for month in sorted(entry.name for entry in os.scandir(place) if _MONTH.fullmatch(entry.name)):
            for entry in os.scandir(place / month):
                match = _KEPT.fullmatch(entry.name)
                if match is not None and entry.is_file(follow_symlinks=False):
                    yield (
                        match["digest"],
                        Kept(
                            source=source,
                            digest=match["digest"],
                            month=month,
                            path=Path(entry.path),
                            stored_bytes=entry.stat().st_size,
                        ),
                    )

    def _sweep(self, source: str, at: datetime) -> None:
        """Remove what a process that was killed while it wrote has left."""
        for part in self._of(source).glob("*/.*.part"):
            with contextlib.suppress(OSError):
                if at.timestamp() - part.stat().st_mtime > _STALE_SECONDS:
                    part.unlink()


def _write(path: Path, packed: bytes) -> None:
    """Under another name first, down to the disk, then renamed: a kill leaves the old state or the new."""
    part = path.with_name(f".{path.name[:16]}-{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
