"""Which of one customer's messages broke which promise, by the same checks as a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

import pyarrow as pa

from primeta.attention.checks import check, place_log
from primeta.attention.checks_sql import moment_of
from primeta.attention.consents import marks_of
from primeta.attention.records import Entry, Promise
from primeta.attention.replay_tables import open_given
from primeta.warehouse.duck import connect

HIM = "him"
Rows = tuple[tuple[str, datetime, str, str, str, str, bool | None], ...]
Signs = tuple[tuple[str, str, datetime], ...]
Outs = tuple[tuple[str, datetime, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A promise to him that was broken; without a message: what was promised to come and did not."""

    promise: str
    version: int
    message_id: str
    at: datetime
    channel: str


def breaches_of(
    entries: Iterable[Entry], promises: Sequence[Promise], *, customer_id: str, zone: str
) -> tuple[Breach, ...]:
    """All breaches in one customer's entries, oldest first.

    Args:
        promises: To everybody and to him alone; those to others are left out.
        zone: Where he lives.
    """
    ours = tuple(
        promise if promise.customers == "all" else replace(promise, customers=(HIM,))
        for promise in promises
        if promise.customers == "all" or customer_id in promise.customers
    )
    sent: list[tuple[str, datetime, str, str, str, str, bool | None]] = []
    signs: list[tuple[str, str, datetime]] = []
    outs: list[tuple[str, datetime, str]] = []
    for entry in entries:
        if not entry.salt:
            continue
        told = entry.payload
        if entry.kind == "touch" and not told.get("withheld"):
            row = tuple(
                str(told.get(name) or "")
                for name in ("message_id", "channel", "purpose", "campaign", "programme")
            )
            sent.append((row[0], entry.happened_at, row[1], row[2], row[3], row[4], told.get("personal")))
        elif entry.kind == "reaction":
            signs.append((str(told.get("message_id") or ""), str(told.get("kind")), entry.happened_at))
        if entry.kind in ("consent", "suppressed"):
            marks = marks_of(
                kind=entry.kind,
                key=entry.key,
                happened_at=entry.happened_at,
                learnt_at=entry.learnt_at,
                payload=told,
            )
            for (processing, channel, _), mark in marks:
                if processing == "marketing" and (mark.state != "given" or mark.proven):
                    outs.append(
                        ("given" if mark.state == "given" else "withdrawn", entry.happened_at, channel)
                    )
    if not ours or not sent:
        return ()
    return _checked(tuple(sent), tuple(signs), tuple(outs), ours, zone)


@lru_cache(maxsize=128)
def _checked(
    sent: Rows, signs: Signs, outs: Outs, promises: tuple[Promise, ...], zone: str
) -> tuple[Breach, ...]:
    """Remembered, since whoever walks through a customer's days asks for the same on every page."""
    time = pa.timestamp("us", "UTC")
    names = ("message_id", "sent_at", "channel", "purpose", "campaign", "programme", "personal")
    columns = dict(zip(names, zip(*sent, strict=True), strict=True))
    if all(value is None for value in columns["personal"]):
        # What the log does not say cannot be checked.
        del columns["personal"]
    messages = pa.table(
        {
            "customer_id": [HIM] * len(sent),
            **{
                name: pa.array(column, time if name == "sent_at" else None)
                for name, column in columns.items()
            },
        }
    )
    reactions = pa.table(
        {
            "message_id": pa.array([row[0] for row in signs], pa.string()),
            "kind": pa.array([row[1] for row in signs], pa.string()),
            "happened_at": pa.array([row[2] for row in signs], time),
        }
    )
    consents = pa.table(
        {
            "customer_id": pa.array([HIM] * len(outs), pa.string()),
            "processing": pa.array(["marketing"] * len(outs), pa.string()),
            "state": pa.array([row[0] for row in outs], pa.string()),
            "happened_at": pa.array([row[1] for row in outs], time),
            "channel": pa.array([row[2] for row in outs], pa.string()),
        }
    )
    people = pa.table({"customer_id": [HIM], "timezone": [zone]})
    with closing(connect(threads=1)) as connection:
        log = place_log(
            connection,
            open_given(connection, "messages", messages),
            open_given(connection, "reactions", reactions),
            promises=promises,
            customers=open_given(connection, "customers", people),
            consents=open_given(connection, "consents", consents),
            timezone=zone,
        )
        rows = check(connection, promises, log).rows.to_pylist()
    found = [
        Breach(
            promise=row["promise"],
            version=row["version"],
            message_id=row["message_id"],
            at=moment_of(row["us"]).astimezone(UTC),
            channel=row["channel"],
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda breach: (breach.at, breach.promise, breach.message_id)))
