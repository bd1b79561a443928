"""What one watch did, in a line for a terminal and as JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from primeta.show.locale import Language
from primeta.show.messages import count, say
from primeta.trends.evidence import STRENGTH
from primeta.workspace.experiment_documents import sync_document
from primeta.workspace.views import SyncNote


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport:
    """What one watch did."""

    seen_until: datetime
    weeks: int
    watched: int
    not_watched: int
    signals: dict[str, int]
    """Grade → how many."""
    new_trends: int
    moved: int
    """Signals whose grade moved."""
    facts_changed: int
    """Months of facts that were read anew."""
    left_out: tuple[tuple[str, str, str], ...] = ()
    """(metric or empty for all of them, slice, why in the workspace's language): too small to watch."""
    looked: int = 0
    """Running experiments that were looked at on the new facts."""
    looks_failed: tuple[tuple[str, str], ...] = ()
    """(experiment, why) of those that could not be."""
    synced: tuple[SyncNote, ...] = ()
    """What taking over the experiments of the workspace file did."""
    sync_failed: str = ""
    """Why nothing of them was taken over."""
    topics: dict[str, int] = dataclasses.field(default_factory=dict)
    """Grade → how many topics; empty where no source is declared."""
    stories: int = 0
    """That were looked at for topics."""
    new_documents: int = 0
    """That the sources brought now."""
    sources_failed: tuple[tuple[str, str], ...] = ()
    """(source, why in the workspace's language) of those that could not be asked."""
    topics_why_not: str = ""
    """Why no topic could be told: `few-texts`."""

    def line(self, lang: Language) -> str:
        reported = sum(n for grade, n in self.signals.items() if STRENGTH[grade] >= STRENGTH["holding"])  # pyright: ignore[reportArgumentType]
        watched = count(
            lang,
            "{n} series was watched over {weeks:int} weeks",
            "{n} series were watched over {weeks:int} weeks",
            self.watched,
            weeks=self.weeks,
        )
        first = f"{watched}; {count(lang, '{n} change holds', '{n} changes hold', reported)}."
        if not self.watched and (self.stories or self.topics_why_not):
            first = ""
        second = count(lang, "{n} new trend.", "{n} new trends.", self.new_trends) if self.new_trends else ""
        third = (
            count(
                lang,
                "{n} series cannot be watched yet.",
                "{n} series cannot be watched yet.",
                self.not_watched,
            )
            if self.not_watched
            else ""
        )
        looked = (
            count(lang, "{n} experiment was looked at.", "{n} experiments were looked at.", self.looked)
            if self.looked
            else ""
        )
        failed = (
            count(
                lang,
                "{n} experiment could not be looked at.",
                "{n} experiments could not be looked at.",
                len(self.looks_failed),
            )
            if self.looks_failed
            else ""
        )
        told = " ".join(f"{name}: {why}" for name, why in self.looks_failed)
        synced = " ".join(note.line(lang) for note in self.synced)
        refused = (
            say(lang, "The experiments of the file were not taken over: {why}", why=self.sync_failed)
            if self.sync_failed
            else ""
        )
        parts = (first, self._texts_line(lang), second, third, synced, refused, looked, failed, told)
        return " ".join(part for part in parts if part)

    def _texts_line(self, lang: Language) -> str:
        """What the texts came to; empty where no source is declared."""
        unread = "; ".join(f"{name}: {why}" for name, why in self.sources_failed)
        if unread:
            unread = say(lang, "Sources that could not be read: {listed}.", listed=unread)
        if self.topics_why_not:
            few = say(lang, "There are too few weeks of texts yet to tell what is usual.")
            return " ".join(part for part in (few, unread) if part)
        if not self.topics and not self.stories:
            return unread
        holding = sum(n for grade, n in self.topics.items() if STRENGTH[grade] >= STRENGTH["holding"])  # pyright: ignore[reportArgumentType]
        told = count(lang, "{n} story was read", "{n} stories were read", self.stories)
        found = count(lang, "{n} topic holds", "{n} topics hold", holding)
        return " ".join(part for part in (f"{told}; {found}.", unread) if part)

    def as_dict(self) -> dict[str, Any]:
        told = [{"metric": metric or None, "slice": code, "why": why} for metric, code, why in self.left_out]
        failed = [{"experiment": name, "why": why} for name, why in self.looks_failed]
        synced = sync_document(self.synced)["notes"]
        unread = [{"source": name, "why": why} for name, why in self.sources_failed]
        return {
            **dataclasses.asdict(self),
            "left_out": told,
            "looks_failed": failed,
            "synced": synced,
            "sources_failed": unread,
        }
