"""Which story each collected document tells, kept up between collections."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from primeta.signals.texts.kept_stories import KeptStories, Told
from primeta.sources.records import Document
from primeta.store import documents as document_rows

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

FILE = "cache/texts/stories.npz"
PORTION = 20_000
SAVED_FROM = 1_000
"""New documents from which what is kept is written to its file; fewer are quickly read again from the state."""


class StoryKeeper:
    """The stories of all documents of a workspace; one collector at a time."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._path = ws.folder / FILE
        self._kept, self._mark = KeptStories(), 0
        self._unsaved = 0
        self._open = False
        self.copies = 0
        """Documents that were found to be copies so far, less those that turned out to be none."""

    def tell(self, documents: Sequence[Document]) -> Told:
        """The stories of these documents, and of others that go to another story for them. Nothing is written.

        Args:
            documents: New ones, or such as read otherwise now; they are to be written before the next call.
        """
        if not documents:
            return {}
        self.catch_up()
        self._unsaved += len(documents)
        return self._changed(self._kept.add(documents, load=self._load), {one.id for one in documents})

    def catch_up(self) -> None:
        """Take in what was written since the file was saved: by a collector that was killed, or with a note."""
        if self._open:
            return
        self._open = True
        found = KeptStories.load(self._path)
        if found is not None:
            kept, mark = found
            with self._ws.database.read() as connection:
                written = document_rows.count_up_to(connection, mark)
            if written == len(kept):
                self._kept, self._mark = kept, mark
        while True:
            with self._ws.database.read() as connection:
                there = document_rows.documents_after(connection, self._mark, PORTION)
            if not there:
                return
            told = self._kept.add([entry.document for entry in there], load=self._load)
            moved = self._changed(told, set())
            if moved:
                with self._ws.database.write() as connection:
                    document_rows.move_stories(connection, moved)
            self._mark = there[-1].number
            self._unsaved += len(there)

    def save(self) -> None:
        """Keep it for the next collection; what cannot be kept is made again then."""
        if not self._open or self._unsaved < max(SAVED_FROM, len(self._kept) // 100):
            return
        with self._ws.database.read() as connection:
            after = document_rows.ids_after(connection, self._mark)
        known = self._kept.knows([name for _, name in after]).tolist()
        # What was written with a note meanwhile.
        beside = [name for (_, name), there in zip(after, known, strict=True) if not there]
        if beside:
            moved = self._changed(self._kept.add(self._load(beside), load=self._load), set())
            with self._ws.database.write() as connection:
                document_rows.move_stories(connection, moved)
        self._mark = after[-1][0] if after else self._mark
        for part in self._path.parent.glob(f".{self._path.name}.*.tmp"):
            part.unlink(missing_ok=True)  # a collector was killed while it wrote
        with contextlib.suppress(OSError):
            self._kept.save(self._path, mark=self._mark)
            self._unsaved = 0

    def forget(self) -> None:
        """What is kept is wrong now: it is made anew from the documents."""
        self._path.unlink(missing_ok=True)
        self._kept, self._mark, self._open = KeptStories(), 0, False

    def _load(self, ids: Sequence[str]) -> tuple[Document, ...]:
        with self._ws.database.read() as connection:
            return document_rows.load_documents(connection, ids)

    def _changed(self, told: Told, new: set[str]) -> Told:
        """Those that are new, and those that are written as telling another story."""
        others = [name for name in told if name not in new]
        with self._ws.database.read() as connection:
            written = document_rows.stories_of(connection, others)
        moved = {
            name: story for name, story in told.items() if name in new or written.get(name, story) != story
        }
        self.copies += sum(
            bool(why) - bool(written.get(name, ("", ""))[1]) for name, (_, why) in moved.items()
        )
        return moved
