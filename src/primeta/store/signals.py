"""What the watch found: runs, frozen first sights with their evidence, grade moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from primeta.signals.signal import Frozen, Grade, Signal
from primeta.store.codec import from_json, to_json
from primeta.store.schema import grade_moves, runs, signals
from primeta.store.times import aware, naive


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished watch: `seen_until` is the mark up to which everything was taken in."""

    seen_until: datetime
    facts_version: str
    promise_start: date
    watched: int
    finished_at: datetime
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeMove:
    signal_id: str
    seen_until: datetime
    was: Grade | None
    now: Grade


def last_run(connection: Connection) -> Run | None:
    """The newest mark, or None before the first watch."""
    row = connection.execute(select(runs).order_by(runs.c.seen_until.desc()).limit(1)).mappings().first()
    if row is None:
        return None
    return Run(
        seen_until=aware(row["seen_until"]),
        facts_version=row["facts_version"],
        promise_start=row["promise_start"],
        watched=row["watched"],
        finished_at=aware(row["finished_at"]),
        summary=row["summary"],
    )


def save_run(connection: Connection, run: Run) -> None:
    """Write the mark; a second watch over the same facts replaces it."""
    values = {
        "seen_until": naive(run.seen_until),
        "facts_version": run.facts_version,
        "promise_start": run.promise_start,
        "watched": run.watched,
        "finished_at": naive(run.finished_at),
        "summary": run.summary,
    }
    where = runs.c.seen_until == values["seen_until"]
    if not connection.execute(update(runs).where(where).values(values)).rowcount:
        connection.execute(insert(runs).values(values))


def load_frozen(connection: Connection, promise_start: date) -> dict[str, Frozen]:
    """First sights of the promise year that starts then, by signal id."""
    query = select(signals.c.id, signals.c.frozen).where(signals.c.promise_start == promise_start)
    return {row.id: from_json(Frozen, row.frozen) for row in connection.execute(query)}


def load_signals(connection: Connection) -> tuple[Signal, ...]:
    """All signals, the strongest evidence first."""
    rows = connection.execute(
        select(signals.c.id, signals.c.frozen, signals.c.evidence).order_by(signals.c.id)
    )
    found = [_signal(row.id, row.frozen, row.evidence) for row in rows]
    return tuple(sorted(found, key=lambda signal: (-signal.e_value, signal.id)))


def _signal(identity: str, frozen: Any, evidence: dict[str, Any]) -> Signal:
    return from_json(Signal, {"id": identity, "frozen": frozen, **evidence})


def save_signals(
    connection: Connection, found: Iterable[Signal], *, promise_start: date, seen_until: datetime
) -> tuple[GradeMove, ...]:
    """Write new signals, refresh the evidence of known ones and note which grades moved.

    What was frozen at first sight is never written again.
    """
    known = {row.id: row.grade for row in connection.execute(select(signals.c.id, signals.c.grade))}
    moves: list[GradeMove] = []
    for signal in found:
        document = to_json(signal)
        evidence = {key: value for key, value in document.items() if key not in ("id", "frozen")}
        values = {"grade": signal.grade, "evidence": evidence, "seen_until": naive(seen_until)}
        was = known.get(signal.id)
        if signal.id in known:
            connection.execute(update(signals).where(signals.c.id == signal.id).values(values))
        else:
            connection.execute(
                insert(signals).values(
                    id=signal.id, promise_start=promise_start, frozen=document["frozen"], **values
                )
            )
        if was != signal.grade:
            moves.append(GradeMove(signal_id=signal.id, seen_until=seen_until, was=was, now=signal.grade))
    for move in moves:
        _save_move(connection, move)
    return tuple(moves)


def _save_move(connection: Connection, move: GradeMove) -> None:
    key = (grade_moves.c.signal_id == move.signal_id) & (grade_moves.c.seen_until == naive(move.seen_until))
    # Late facts may change a grade without a new week: the week's row then says the last word.
    if not connection.execute(update(grade_moves).where(key).values(now=move.now)).rowcount:
        connection.execute(
            insert(grade_moves).values(
                signal_id=move.signal_id, seen_until=naive(move.seen_until), was=move.was, now=move.now
            )
        )


def load_moves(connection: Connection, *, after: datetime | None = None) -> tuple[GradeMove, ...]:
    """Grade moves, newest first."""
    query = select(grade_moves).order_by(grade_moves.c.seen_until.desc(), grade_moves.c.signal_id)
    if after is not None:
        query = query.where(grade_moves.c.seen_until > naive(after))
    return tuple(
        GradeMove(
            signal_id=row["signal_id"], seen_until=aware(row["seen_until"]), was=row["was"], now=row["now"]
        )
        for row in connection.execute(query).mappings()
    )
