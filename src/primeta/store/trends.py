"""Trends with all that people wrote on them: cards, memberships, inputs, decisions, history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, insert, select, update

from primeta.errors import Conflict
from primeta.signals.note import NoteFile
from primeta.store.codec import from_json, to_json
from primeta.store.schema import audit, cards, decisions, events, inputs, memberships, notes, trends
from primeta.store.times import aware, naive
from primeta.trends.records import Card, Decision, Event, Evidence, Input, Trend, Weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A signal's place in a trend: attached, or refused by a person and not suggested again."""

    trend_id: str
    signal_id: str
    state: str
    by: str
    at: datetime


def load_trends(connection: Connection, trend_id: str | None = None) -> tuple[Trend, ...]:
    """All trends (or one), oldest first, with cards, decisions and history."""
    newest: dict[str, RowMapping] = {}
    for row in _rows(connection, cards, trend_id):
        newest[row["trend_id"]] = row
    decided: dict[str, list[Decision]] = defaultdict(list)
    for row in _rows(connection, decisions, trend_id):
        decided[row["trend_id"]].append(_decision(row))
    told: dict[str, list[Event]] = defaultdict(list)
    for row in _rows(connection, events, trend_id):
        told[row["trend_id"]].append(
            Event(at=aware(row["at"]), who=row["who"], kind=row["kind"], what=row["what"])
        )
    attached: dict[str, list[str]] = defaultdict(list)
    for entry in load_memberships(connection, trend_id):
        if entry.state == "attached":
            attached[entry.trend_id].append(entry.signal_id)

    query = select(trends).order_by(trends.c.created_at, trends.c.id)
    if trend_id is not None:
        query = query.where(trends.c.id == trend_id)
    return tuple(
        Trend(
            id=row["id"],
            card=from_json(Card, newest[row["id"]]["card"]),
            version=newest[row["id"]]["version"],
            evidence=from_json(Evidence, row["evidence"]),
            signals=tuple(attached[row["id"]]),
            weighing=None if row["weighing"] is None else from_json(Weighing, row["weighing"]),
            decisions=tuple(decided[row["id"]]),
            history=tuple(sorted(told[row["id"]], key=lambda event: event.at)),
            created_at=aware(row["created_at"]),
        )
        for row in connection.execute(query).mappings().all()
    )


def _rows(connection: Connection, table: Table, trend_id: str | None) -> Sequence[RowMapping]:
    query = select(table).order_by(*table.primary_key.columns)
    if trend_id is not None:
        query = query.where(table.c.trend_id == trend_id)
    return connection.execute(query).mappings().all()


def _decision(row: RowMapping) -> Decision:
    return Decision(
        trend=row["trend_id"],
        answer=row["answer"],
        criteria=row["criteria"],
        due=row["due"],
        owner=row["owner"],
        decided_by=row["decided_by"],
        decided_at=aware(row["decided_at"]),
        reason=row["reason"],
    )


def load_memberships(connection: Connection, trend_id: str | None = None) -> tuple[Membership, ...]:
    """The last word on each pair of trend and signal, in the order of the first."""
    last: dict[tuple[str, str], Membership] = {}
    for row in _rows(connection, memberships, trend_id):
        last[row["trend_id"], row["signal_id"]] = Membership(
            trend_id=row["trend_id"],
            signal_id=row["signal_id"],
            state=row["state"],
            by=row["by"],
            at=aware(row["at"]),
        )
    return tuple(last.values())


def load_inputs(connection: Connection) -> dict[str, dict[str, Input]]:
    """Trend → input → the last value that a named person gave."""
    found: dict[str, dict[str, Input]] = defaultdict(dict)
    for row in _rows(connection, inputs, None):
        found[row["trend_id"]][row["name"]] = Input(
            name=row["name"],
            value=row["value"],
            low=row["low"],
            high=row["high"],
            unit="share",
            basis="guess",
            by=row["by"],
            at=aware(row["at"]).date(),
        )
    return found


def add_trend(
    connection: Connection, trend_id: str, card: Card, evidence: Evidence, *, by: str, at: datetime
) -> None:
    connection.execute(
        insert(trends).values(
            id=trend_id, created_at=naive(at), created_by=by, evidence=to_json(evidence), weighing=None
        )
    )
    connection.execute(
        insert(cards).values(trend_id=trend_id, version=1, card=to_json(card), by=by, at=naive(at))
    )


def add_card(
    connection: Connection, trend_id: str, card: Card, *, version: int, by: str, at: datetime
) -> None:
    """A new version of a card made from `version`.

    Raises:
        Conflict: somebody saved a newer version meanwhile; nothing is written.
    """
    newest = connection.execute(
        select(cards.c.version, cards.c.by)
        .where(cards.c.trend_id == trend_id)
        .order_by(cards.c.version.desc())
        .limit(1)
    ).one()
    if newest.version != version:
        raise Conflict(
            f"the card was changed by {newest.by} meanwhile (it is at version {newest.version}, yours was "
            f"made from {version}); read it again and repeat your change"
        )
    connection.execute(
        insert(cards).values(trend_id=trend_id, version=version + 1, card=to_json(card), by=by, at=naive(at))
    )


def add_membership(connection: Connection, membership: Membership) -> None:
    connection.execute(
        insert(memberships).values(
            trend_id=membership.trend_id,
            signal_id=membership.signal_id,
            state=membership.state,
            by=membership.by,
            at=naive(membership.at),
        )
    )


def add_input(connection: Connection, trend_id: str, given: Input, *, at: datetime) -> None:
    connection.execute(
        insert(inputs).values(
            trend_id=trend_id,
            name=given.name,
            value=given.value,
            low=given.low,
            high=given.high,
            by=given.by,
            at=naive(at),
        )
    )


def add_decision(connection: Connection, decision: Decision) -> None:
    connection.execute(
        insert(decisions).values(
            trend_id=decision.trend,
            answer=decision.answer,
            criteria=decision.criteria,
            reason=decision.reason,
            due=decision.due,
            owner=decision.owner,
            decided_by=decision.decided_by,
            decided_at=naive(decision.decided_at),
        )
    )


def add_events(connection: Connection, trend_id: str, told: Iterable[Event], *, mark: str = "") -> None:
    """Lines of history. With a `mark`, a line that was told before is not told again."""
    known = set(connection.scalars(select(events.c.mark).where(events.c.trend_id == trend_id)))
    for order, event in enumerate(told):
        unique = f"{mark}#{order}" if mark else f"{naive(event.at).isoformat()}#{len(known) + order}"
        if unique in known:
            continue
        connection.execute(
            insert(events).values(
                trend_id=trend_id,
                at=naive(event.at),
                who=event.who,
                kind=event.kind,
                what=to_json(dict(event.what)),
                mark=unique,
            )
        )


def save_evidence(
    connection: Connection, trend_id: str, evidence: Evidence, weighing: Weighing | None
) -> None:
    connection.execute(
        update(trends)
        .where(trends.c.id == trend_id)
        .values(evidence=to_json(evidence), weighing=None if weighing is None else to_json(weighing))
    )


def add_note(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(insert(notes).values({**values, "logged_at": naive(values["logged_at"])}))


def load_notes(connection: Connection) -> list[dict[str, Any]]:
    """All notes as plain values, newest first."""
    query = select(notes).order_by(notes.c.happened_at.desc(), notes.c.id)
    return [
        {
            **row,
            "logged_at": aware(row["logged_at"]),
            "files": tuple(NoteFile(**file) for file in row["files"]),
        }
        for row in connection.execute(query).mappings()
    ]


def add_audit(connection: Connection, *, who: str, verb: str, what: dict[str, Any], at: datetime) -> None:
    connection.execute(insert(audit).values(at=naive(at), who=who, verb=verb, what=to_json(what)))
