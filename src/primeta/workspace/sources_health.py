"""How every declared source does: when it answered last, what it brought, what failed and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.sources.declare import declared_sources
from primeta.sources.trouble_words import explain_trouble
from primeta.store import documents as document_rows
from primeta.store import sources as source_rows
from primeta.store.documents import Tally
from primeta.store.sources import SourceState
from primeta.workspace.collect_words import HEALTH, tell
from primeta.workspace.texts_views import Health, SourceView

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

WEEKS = 13
QUIET_TIMES = 4
"""A source is quiet when nothing new came for so many times as long as usual …"""
QUIET_AT_LEAST = timedelta(days=21)
"""… and for at least so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList:
    """All declared sources with how they do."""

    views: tuple[SourceView, ...]
    gone: tuple[tuple[str, int], ...] = ()
    """Sources that are no longer declared, with the documents that stay of them."""

    def line(self, lang: Language) -> str:
        counted = {health: sum(view.health == health for view in self.views) for health in HEALTH}
        parts = [tell(lang, f"count-{health}", n=number) for health, number in counted.items() if number]
        return (
            tell(lang, "sources", n=len(self.views), parts=", ".join(parts)) if parts else tell(lang, "none")
        )

    def table(self, lang: Language) -> Table:
        heads = (
            Head(tell(lang, "head-source")),
            Head(tell(lang, "head-health")),
            Head(tell(lang, "head-documents"), align="right"),
            Head(tell(lang, "head-week"), align="right"),
            Head(tell(lang, "head-succeeded")),
            Head(tell(lang, "head-why")),
        )
        rows = tuple(
            (
                view.source.name,
                HEALTH[view.health][lang],
                locale.number(view.documents, lang, digits=0),
                locale.number(view.last_week, lang, digits=0),
                locale.day(view.succeeded_at.date(), lang) if view.succeeded_at else "—",
                " ".join(reasons(view, lang)),
            )
            for view in self.views
        )
        notes = [self.line(lang), *(tell(lang, "gone", name=name, n=n) for name, n in self.gone)]
        return Table(heads=heads, rows=rows, note=" ".join(notes))

    def as_dict(self) -> dict[str, Any]:
        return {
            "sources": [source_document(view) for view in self.views],
            "gone": [{"name": name, "documents": number} for name, number in self.gone],
        }


def reasons(view: SourceView, lang: Language) -> tuple[str, ...]:
    """What failed, then which parts could not be read, in sentences."""
    troubles = (*((view.trouble,) if view.trouble else ()), *view.part_troubles)
    told = [explain_trouble(trouble, lang) for trouble in troubles]
    if not troubles and view.health == "quiet":
        told.append(tell(lang, "quiet-why"))
    return tuple(dict.fromkeys(told))


def source_list(ws: Workspace, *, now: datetime) -> SourceList:
    """Every declared source with how it does, and what is kept of those that are not declared any more."""
    declared = declared_sources(ws.config)
    seen = _seen_until(ws, now)
    edges = [seen - timedelta(weeks=back) for back in range(WEEKS, -1, -1)]
    with ws.database.read() as connection:
        states = source_rows.load_states(connection)
        counted = document_rows.tallies(connection)
        weekly = document_rows.counts_since(connection, edges)
        sizes = source_rows.brought_bytes(connection)
    nothing = Tally(documents=0, stories=0, newest=None)
    views: list[SourceView] = []
    for name, source in declared.items():
        state = states.get(name) or SourceState(source=source)
        tally, weeks = counted.get(name, nothing), weekly.get(name, (0,) * WEEKS)
        views.append(
            SourceView(
                source=source,
                health=_health(source.paused, state, tally, weeks, seen),
                tried_at=state.tried_at,
                succeeded_at=state.succeeded_at,
                next_at=None if source.paused else state.next_at,
                failures=state.failures,
                trouble=state.trouble,
                part_troubles=state.part_troubles,
                documents=tally.documents,
                stories=tally.stories,
                last_week=weeks[-1],
                weekly=weeks,
                newest=tally.newest,
                raw_bytes=sizes.get(name, 0),
            )
        )
    gone = [(name, counted[name].documents) for name in states if name not in declared and name in counted]
    return SourceList(views=tuple(views), gone=tuple(gone))


def _seen_until(ws: Workspace, now: datetime) -> datetime:
    """The end of the weeks that are counted: now; in a history (`today = "facts"`), the end of its last day."""
    if not ws.config.as_of_facts:
        return now
    return datetime.combine(ws.day(now), time(), ws.config.zone).astimezone(UTC) + timedelta(days=1)


def _health(paused: bool, state: SourceState, tally: Tally, weeks: Sequence[int], now: datetime) -> Health:
    if paused:
        return "paused"
    if state.tried_at is None:
        return "never"
    if state.trouble is not None:
        return "stopped" if state.next_at is None else "failing"
    return "quiet" if _is_quiet(tally, weeks, now) else "well"


def _is_quiet(tally: Tally, weeks: Sequence[int], now: datetime) -> bool:
    """Whether nothing came for much longer than usual; who never spoke, or always seldom, is not quiet."""
    spoken = [place for place, number in enumerate(weeks) if number]
    if tally.newest is None or len(spoken) < 3:
        return False
    usual = timedelta(weeks=median(after - before for before, after in pairwise(spoken)))
    return now - tally.newest > max(QUIET_TIMES * usual, QUIET_AT_LEAST)


def source_document(view: SourceView) -> dict[str, Any]:
    """What `--json` says of a source."""
    return {
        "name": view.source.name,
        "reader": view.source.reader,
        "kind": view.source.kind,
        "group": view.source.group,
        "at": view.source.at,
        "owner": view.source.owner,
        "trust": view.source.trust,
        "every_seconds": view.source.every.total_seconds(),
        "health": view.health,
        "tried_at": view.tried_at,
        "succeeded_at": view.succeeded_at,
        "next_at": view.next_at,
        "failures": view.failures,
        "trouble": None if view.trouble is None else trouble_document(view.trouble.code, view.trouble.values),
        "part_troubles": [trouble_document(part.code, part.values) for part in view.part_troubles],
        "why": {"en": list(reasons(view, "en")), "ru": list(reasons(view, "ru"))},
        "documents": view.documents,
        "stories": view.stories,
        "last_week": view.last_week,
        "weekly": list(view.weekly),
        "newest": view.newest,
        "raw_bytes": view.raw_bytes,
    }


def trouble_document(code: str, values: Mapping[str, object]) -> dict[str, Any]:
    return {"code": code, "values": dict(values)}
