"""How outside sources do: what was declared, when it was asked, what came, where reading goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from primeta.sources.records import Raw, Source, Trouble
from primeta.store.codec import from_json, to_json
from primeta.store.schema import fetches, text_sources
from primeta.store.times import aware, naive

Came = Literal["read", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source as it was last taken over, and how it does."""

    source: Source
    tried_at: datetime | None = None
    succeeded_at: datetime | None = None
    next_at: datetime | None = None
    """None: due at once where it was never tried, else never again until a person acts."""
    failures: int = 0
    trouble: Trouble | None = None
    part_troubles: tuple[Trouble, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    """Of what came last: `etag`, `modified`, `url`, `digest`, `moved_to`; of files: path → what it was like."""
    position: Mapping[str, Any] = field(default_factory=dict)
    """Where reading goes on: per file or address, and `follow`, addresses still to be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One thing that came, or did not."""

    raw: Raw
    state: Came
    found: int = 0
    new: int = 0
    trouble: Trouble | None = None


def load_states(connection: Connection) -> dict[str, SourceState]:
    """Every source that was ever taken over, by name."""
    query = select(text_sources).order_by(text_sources.c.name)
    return {row["name"]: _state(row) for row in connection.execute(query).mappings()}


def save_state(connection: Connection, state: SourceState) -> None:
    """Write how a source does."""
    values = {
        "definition": to_json(state.source),
        "tried_at": state.tried_at and naive(state.tried_at),
        "succeeded_at": state.succeeded_at and naive(state.succeeded_at),
        "next_at": state.next_at and naive(state.next_at),
        "failures": state.failures,
        "trouble": None if state.trouble is None else to_json(state.trouble),
        "part_troubles": [to_json(trouble) for trouble in state.part_troubles],
        "known": dict(state.known),
        "position": dict(state.position),
    }
    where = text_sources.c.name == state.source.name
    if not connection.execute(update(text_sources).where(where).values(values)).rowcount:
        connection.execute(insert(text_sources).values(name=state.source.name, **values))


def add_fetches(connection: Connection, came: Sequence[Fetch]) -> None:
    """Note things that came or did not."""
    rows = [
        {
            "source": one.raw.source,
            "url": one.raw.url,
            "at": naive(one.raw.at),
            "state": one.state,
            "digest": one.raw.digest,
            "media": one.raw.media[:128],
            "encoding": one.raw.encoding[:64],
            "size": one.raw.size,
            "found": one.found,
            "new": one.new,
            "trouble": None if one.trouble is None else to_json(one.trouble),
        }
        for one in came
    ]
    if rows:
        connection.execute(insert(fetches), rows)


def read_things(connection: Connection, source: str) -> tuple[Raw, ...]:
    """What a source brought and what was read, in that order; the same bytes of the same address once, at first sight."""
    query = select(fetches).where(fetches.c.source == source, fetches.c.digest != "").order_by(fetches.c.id)
    found: dict[tuple[str, str], Raw] = {}
    for row in connection.execute(query).mappings():
        raw = Raw(
            source=row["source"],
            digest=row["digest"],
            at=aware(row["at"]),
            url=row["url"],
            media=row["media"],
            size=row["size"],
            encoding=row["encoding"],
        )
        found.setdefault((raw.digest, raw.url), raw)
    return tuple(found.values())


def digests(connection: Connection, source: str) -> set[str]:
    """Of everything of a source that was read."""
    query = select(fetches.c.digest).where(fetches.c.source == source, fetches.c.digest != "").distinct()
    return set(connection.scalars(query))


def brought_bytes(connection: Connection) -> dict[str, int]:
    """Source → bytes of everything that came, unpacked."""
    query = select(fetches.c.source, func.sum(fetches.c.size)).group_by(fetches.c.source)
    return {source: int(size or 0) for source, size in connection.execute(query)}


def _state(row: RowMapping) -> SourceState:
    times = {
        name: None if row[name] is None else aware(row[name])
        for name in ("tried_at", "succeeded_at", "next_at")
    }
    return SourceState(
        source=from_json(Source, row["definition"]),
        failures=row["failures"],
        trouble=None if row["trouble"] is None else from_json(Trouble, row["trouble"]),
        part_troubles=tuple(from_json(Trouble, entry) for entry in row["part_troubles"]),
        known=row["known"],
        position=row["position"],
        **times,
    )
