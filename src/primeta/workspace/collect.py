"""`primeta collect`: what the declared sources have to say is fetched, kept, read and written down.

What came is kept in `raw/` before it is read. Documents, the story that each tells and the mark of how far the source
was read are computed first and written in one transaction: a collector that is killed leaves either all of a step or
nothing, and the next one does it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, DiskFull, Locked, NotFound, PrimetaError
from primeta.sources.declare import declared_sources
from primeta.sources.fetching.raw_store import RawStore
from primeta.sources.records import Brought, Document, Source, Trouble
from primeta.store import documents as document_rows
from primeta.store import sources as source_rows
from primeta.store.sources import SourceState
from primeta.workspace.collect_schedule import is_given_up, next_time
from primeta.workspace.collect_source import MOST_PARTS, Asking, Step, ask
from primeta.workspace.collect_stories import StoryKeeper
from primeta.workspace.lock import only_one
from primeta.workspace.text_index import update_index
from primeta.workspace.texts_views import CollectReport

if TYPE_CHECKING:
    from primeta.sources.fetching.client import Fetcher
    from primeta.workspace.workspace import Progress, Workspace

LOCK = "collect.lock"
READ_AGAIN = timedelta(days=35)
"""Voices of so long before the newest are read once more."""


def collect(
    ws: Workspace,
    *,
    now: datetime,
    names: Sequence[str] = (),
    force: bool = False,
    progress: Progress | None = None,
    fetcher: Fetcher | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> CollectReport:
    """Ask every source whose time has come. A source that fails does not stop the others.

    Args:
        names: Only these.
        force: Also those that are not due, and those that were given up; a paused one is asked where it is named.
        fetcher: One for the process, so that its politeness holds over all calls; default: a new one.
    Raises:
        BadInput: no source is declared.
        NotFound: no source of such a name.
        Locked: another collector works in this workspace.
    """
    declared = declared_sources(ws.config)
    if not declared:
        raise BadInput(
            f"{ws.config.path} declares no source; add a section such as [sources.news] with "
            'at = "https://site.com/feed" and kind = "industry_report"'
        )
    for name in names:
        if name not in declared:
            raise NotFound(
                f"there is no source {name!r}; {ws.config.path.name} declares {', '.join(declared)}"
            )
    step = progress or (lambda _name, _done, _total: None)
    with only_one(ws.folder / LOCK, "a collector"):
        states = take_over(ws, declared)
        due = [name for name in declared if _is_due(states[name], now, names, force)]
        raw = RawStore(ws.folder / "raw")
        asking = Asking(
            fetcher=fetcher or fetcher_of(ws),
            raw=raw,
            folder=ws.folder,
            now=now,
            is_known=lambda found: _known(ws, found),
            voices=lambda source, position: _voices(ws, source, position, now),
            timezone=ws.config.timezone,
            sleep=sleep,
        )
        stories = StoryKeeper(ws)
        new = same = 0
        failed: list[tuple[str, Trouble]] = []
        written: list[str] = []
        for number, name in enumerate(due):
            step(name, number, len(due))
            told = _one(ws, states[name], asking, stories)
            new += told.new
            written += told.written
            same += not told.new and told.trouble is None
            if told.trouble is not None:
                failed.append((name, told.trouble))
        stories.save()
        step("collect", len(due), len(due))
    if written:
        update_index(ws, progress, renewed=written)
    return CollectReport(
        at=now,
        asked=len(due),
        new=new,
        same=same,
        failed=tuple(failed),
        waiting=sum(1 for name in declared if name not in due and not declared[name].paused),
        copies=stories.copies,
    )


def fetcher_of(ws: Workspace) -> Fetcher:
    """The door to the outside as `[sources]` sets it."""
    import numpy as np

    from primeta.sources.fetching.client import Fetcher

    settings = ws.config.sources
    return Fetcher(
        rng=np.random.default_rng(),
        spacing_seconds=settings.spacing_seconds,
        contact=settings.contact,
        proxy=settings.proxy,
        robots_folder=ws.folder / "cache" / "robots",
    )


def take_over(ws: Workspace, declared: Mapping[str, Source]) -> dict[str, SourceState]:
    """How each declared source does; one that is declared otherwise than before is taken over as it is now.

    A source that leads elsewhere, or is read in another way, begins anew; what it brought before stays.
    """
    with ws.database.read() as connection:
        kept = source_rows.load_states(connection)
    states: dict[str, SourceState] = {}
    changed: list[tuple[SourceState | None, SourceState]] = []
    for name, source in declared.items():
        before = kept.get(name)
        if before is None:
            states[name] = SourceState(source=source)
        elif before.source == source:
            states[name] = before
            continue
        elif _elsewhere(before.source) != _elsewhere(source):
            states[name] = SourceState(source=source)
        else:
            # What a person has just corrected is tried at once.
            states[name] = replace(before, source=source, next_at=before.tried_at, failures=0)
        changed.append((before, states[name]))
    if changed:
        with ws.database.write() as connection:
            for before, state in changed:
                source_rows.save_state(connection, state)
                if before is not None and before.source.owner != state.source.owner:
                    StoryKeeper(ws).forget()
                    document_rows.rename_owner(
                        connection, state.source.name, was=before.source.owner, owner=state.source.owner
                    )
                if before is not None and before.source.kind != state.source.kind:
                    document_rows.change_kind(
                        connection, state.source.name, was=before.source.kind, kind=state.source.kind
                    )
    return states


def _elsewhere(source: Source) -> tuple[Any, ...]:
    return source.reader, source.at, dict(source.columns), source.select, source.changes


def _is_due(state: SourceState, now: datetime, names: Sequence[str], force: bool) -> bool:
    if names and state.source.name not in names:
        return False
    if state.source.paused:
        return force and bool(names)
    if force or state.tried_at is None:
        return True
    return state.next_at is not None and state.next_at <= now


class _Told:
    """What asking one source came to."""

    def __init__(self) -> None:
        self.new = 0
        self.written: list[str] = []
        """Documents that are new or read otherwise now: the search learns them."""
        self.trouble: Trouble | None = None
        self.parts: list[Trouble] = []


def _one(ws: Workspace, state: SourceState, asking: Asking, stories: StoryKeeper) -> _Told:
    told = _Told()
    asking.raw.sweep(state.source.name)
    with ws.database.read() as connection:
        written = source_rows.digests(connection, state.source.name)
    orphans = [kept.digest for kept in asking.raw.list(state.source.name) if kept.digest not in written]
    last: Step | None = None
    for part in _steps(state, asking, orphans):
        if last is not None:
            state = _write(ws, replace(state, known=last.known, position=last.position), last, stories, told)
        last = part
    assert last is not None
    told.trouble = last.trouble
    _write(ws, _after(state, last, [*told.parts, *last.parts], asking.now), last, stories, told)
    return told


def _steps(state: SourceState, asking: Asking, orphans: Sequence[str]) -> Iterator[Step]:
    """What asking brings; where reading fails in a way that nobody foresaw, that is this source's trouble alone."""
    step = Step(known=state.known, position=state.position)
    try:
        for step in ask(state, asking, orphans=orphans):
            yield step
    except (DiskFull, Locked):
        raise
    except PrimetaError as error:
        told = Trouble(code="defect", values={"why": str(error)})
    except Exception as error:  # noqa: BLE001 — a defect of ours must not keep the other sources from being asked
        told = Trouble(code="defect", values={"why": f"{type(error).__name__}: {str(error)[:200]}"})
    else:
        return
    yield Step(known=step.known, position=step.position, trouble=told)


def _after(state: SourceState, last: Step, parts: Sequence[Trouble], now: datetime) -> SourceState:
    """How the source does now that it was asked."""
    trouble = last.trouble
    failures = state.failures + 1 if trouble is not None else 0
    given_up = trouble is not None and is_given_up(
        trouble, failures=failures, read_before=state.succeeded_at is not None
    )
    return SourceState(
        source=state.source,
        tried_at=now,
        succeeded_at=now if trouble is None else state.succeeded_at,
        next_at=None if given_up else next_time(state.source, now=now, failures=failures, trouble=trouble),
        failures=failures,
        trouble=trouble if given_up or trouble is None else replace(trouble, permanent=False),
        part_troubles=tuple(parts)[:MOST_PARTS],
        known=last.known,
        position=last.position,
    )


def _write(ws: Workspace, state: SourceState, step: Step, stories: StoryKeeper, told: _Told) -> SourceState:
    """One transaction: documents, what came, and where the source goes on."""
    told.parts += step.parts
    fresh = _changed(ws, step.documents)
    moved = stories.tell(fresh)
    told.written += [one.id for one in fresh]
    with ws.database.write() as connection:
        told.new += document_rows.save_documents(connection, fresh, stories=moved)
        source_rows.add_fetches(connection, step.came)
        source_rows.save_state(connection, state)
    return state


def _changed(ws: Workspace, found: Sequence[Document]) -> tuple[Document, ...]:
    """Those that are new, and those that read otherwise than what is written.

    When it was first seen and when it first said that it was published stays: a date that is moved on is not news.
    """
    with ws.database.read() as connection:
        ids = [one.id for one in found]
        known = {one.document.id: one.document for one in document_rows.load_numbered(connection, ids)}
    fresh: list[Document] = []
    for one in found:
        before = known.get(one.id)
        if before is None:
            fresh.append(one)
            continue
        renewed = replace(
            one,
            seen_at=before.seen_at,
            published_at=before.published_at or one.published_at,
            provenance=None,
        )
        if replace(renewed, raw=before.raw) != before:
            fresh.append(renewed)
    return tuple(fresh)


def _known(ws: Workspace, found: Sequence[Document]) -> int:
    with ws.database.read() as connection:
        return len(document_rows.known_ids(connection, [one.id for one in found]))


def _voices(
    ws: Workspace, source: Source, position: Mapping[str, object], now: datetime
) -> Iterator[Brought]:
    """The workspace's own voices, those of the last weeks once more: they may have been corrected."""
    from primeta.sources.voices import voices_documents
    from primeta.warehouse.engine import open_warehouse

    told = position.get("said_at")
    since = datetime.fromisoformat(told) - READ_AGAIN if isinstance(told, str) else None
    try:
        with open_warehouse(ws.config) as warehouse:
            yield from voices_documents(warehouse, source=source, since=since, seen_at=now)
    except PrimetaError as error:
        yield Brought(troubles=(Trouble(code="bad-table", values={"reason": "reading", "why": str(error)}),))


def is_any_due(ws: Workspace, *, now: datetime) -> bool:
    """Whether the time of any declared source has come; nothing is asked and nothing written."""
    declared = declared_sources(ws.config)
    with ws.database.read() as connection:
        states = source_rows.load_states(connection)
    return any(
        _is_due(replace(states.get(name) or SourceState(source=source), source=source), now, (), False)
        for name, source in declared.items()
    )
