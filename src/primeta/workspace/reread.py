"""`primeta sources --reread`: everything that was kept is read again with today's code.

Documents keep their ids, their numbers and when they were first seen; what they say is renewed, and what only today's
code finds is added. Nothing is fetched and nothing is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, NotFound
from primeta.show.locale import Language
from primeta.sources.declare import declared_sources
from primeta.sources.fetching.raw_store import RawStore
from primeta.sources.read import failed, read
from primeta.sources.records import Brought, Document, Raw, Source, Trouble
from primeta.sources.trouble_words import explain_trouble
from primeta.store import documents as document_rows
from primeta.store import sources as source_rows
from primeta.workspace.collect import LOCK
from primeta.workspace.collect_files import digest_of
from primeta.workspace.collect_source import finished
from primeta.workspace.collect_stories import StoryKeeper
from primeta.workspace.collect_words import tell
from primeta.workspace.lock import only_one
from primeta.workspace.text_index import forget_index

if TYPE_CHECKING:
    from primeta.workspace.workspace import Progress, Workspace

TOGETHER = 50_000
"""Documents that are written in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RereadReport:
    """What reading again brought."""

    things: int
    """That were kept and read."""
    new: int
    changed: int
    failed: tuple[tuple[str, str, Trouble], ...] = ()
    """(source, address or path, why) of things that could not be read."""

    def line(self, lang: Language) -> str:
        parts = [tell(lang, "reread", things=self.things, new=self.new, changed=self.changed)]
        if self.failed:
            parts.append(tell(lang, "reread-failed", n=len(self.failed)))
            parts += (f"{url}: {explain_trouble(trouble, lang)}" for _, url, trouble in self.failed[:5])
        return " ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        return {
            "things": self.things,
            "new": self.new,
            "changed": self.changed,
            "failed": [
                {"source": name, "url": url, "code": trouble.code} for name, url, trouble in self.failed
            ],
        }


def reread(
    ws: Workspace, *, now: datetime, names: Sequence[str] = (), progress: Progress | None = None
) -> RereadReport:
    """Read again what sources brought; of all that were ever declared, or of some.

    Raises:
        NotFound: no source of such a name was ever collected.
        Locked: a collector works in this workspace.
    """
    step = progress or (lambda _name, _done, _total: None)
    with only_one(ws.folder / LOCK, "a collector"):
        with ws.database.read() as connection:
            sources = {name: state.source for name, state in source_rows.load_states(connection).items()}
        sources |= {name: one for name, one in declared_sources(ws.config).items() if name in sources}
        for name in names:
            if name not in sources:
                known = ", ".join(sources) or "none yet"
                raise NotFound(f"nothing was collected of a source {name!r}; there are: {known}")
        stories = StoryKeeper(ws)
        raw = RawStore(ws.folder / "raw")
        wanted = [source for name, source in sources.items() if not names or name in names]
        total = _Total(ws, stories)
        for number, source in enumerate(wanted):
            step(source.name, number, len(wanted))
            total.read(source, raw)
        stories.save()
        step("reread", len(wanted), len(wanted))
    if total.changed:
        forget_index(ws)
    return RereadReport(things=total.things, new=total.new, changed=total.changed, failed=tuple(total.failed))


class _Total:
    """What was read so far."""

    def __init__(self, ws: Workspace, stories: StoryKeeper) -> None:
        self._ws = ws
        self._stories = stories
        self.things = self.new = self.changed = 0
        self.failed: list[tuple[str, str, Trouble]] = []

    def read(self, source: Source, raw: RawStore) -> None:
        """Everything of one source, in the order in which it came: the last reading of a document counts."""
        with self._ws.database.read() as connection:
            things = source_rows.read_things(connection, source.name)
        published: dict[str, datetime | None] = {}
        documents: dict[str, Document] = {}
        versions: dict[str, bytes] = {}
        for thing in things:
            last = Brought()
            for last in self._portions(source, thing, raw, versions):
                for one in finished(last, source):
                    # When it first said that it was published counts, as in collecting.
                    published[one.id] = published.get(one.id) or one.published_at
                    documents[one.id] = replace(one, published_at=published[one.id])
                if len(documents) >= TOGETHER:
                    self._write(documents)
                    documents = {}
            trouble = failed(last)
            if trouble is not None:
                self.failed.append((source.name, thing.url, trouble))
            self.things += 1
        self._write(documents)

    def _portions(
        self, source: Source, thing: Raw, raw: RawStore, versions: dict[str, bytes]
    ) -> Iterator[Brought]:
        try:
            content = raw.read(source.name, thing.digest)
        except NotFound:
            # Too large to be kept: read where it lies, if it still is what it was.
            path = self._ws.folder / thing.url
            if "://" in thing.url or not path.is_file() or digest_of(path) != thing.digest:
                yield Brought(troubles=(Trouble(code="no-file", values={"at": thing.url}),))
                return
            content = path
        except BadInput as damaged:
            yield Brought(troubles=(Trouble(code="damaged", values={"why": str(damaged)}),))
            return
        before = versions.get(thing.url) if source.changes else None
        yield from read(
            content,
            source=source,
            media=thing.media,
            encoding=thing.encoding,
            url=thing.url if "://" in thing.url else "",
            seen_at=thing.at,
            before=before,
            timezone=self._ws.config.timezone,
        )
        if source.changes and isinstance(content, bytes):
            versions[thing.url] = content

    def _write(self, documents: Mapping[str, Document]) -> None:
        if not documents:
            return
        with self._ws.database.read() as connection:
            known = {
                entry.document.id: entry.document
                for entry in document_rows.load_numbered(connection, list(documents))
            }
        fresh: list[Document] = []
        for one in documents.values():
            before = known.get(one.id)
            renewed = one if before is None else replace(one, seen_at=before.seen_at)
            if before is None or replace(renewed, raw=before.raw, provenance=None) != before:
                fresh.append(renewed)
        moved = self._stories.tell(fresh)
        with self._ws.database.write() as connection:
            new = document_rows.save_documents(connection, fresh, stories=moved)
        self.new += new
        self.changed += len(fresh) - new
