"""Messages that a customer's state has forgotten, from the ledger: for windows longer than the state remembers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from primeta.attention.fold import CustomerState, SeenTouch
from primeta.store.attention_hot import forgotten_since
from primeta.store.ledger import load_entries


def with_all_touches(
    connection: Connection, state: CustomerState, *, since: datetime, until: datetime | None = None
) -> CustomerState:
    """The state with every message later than `since`; itself where it remembers them all."""
    if not forgotten_since(state, since):
        return state
    return replace(state, touches=load_touches(connection, state.customer_id, since=since, until=until))


def load_touches(
    connection: Connection, customer_id: str, *, since: datetime, until: datetime | None = None
) -> tuple[SeenTouch, ...]:
    """Messages that were sent to him, oldest first; one that was told twice counts at its later time."""
    last: dict[str, SeenTouch] = {}
    for entry in load_entries(connection, customer_id):
        told = entry.payload
        if entry.kind != "touch" or not entry.salt or told.get("withheld") or entry.happened_at <= since:
            continue
        if until is not None and entry.happened_at > until:
            continue
        touch = SeenTouch(
            at=entry.happened_at,
            message_id=str(told.get("message_id", "")),
            channel=str(told.get("channel", "")),
            purpose=str(told.get("purpose", "")),
            campaign=str(told.get("campaign") or ""),
            programme=str(told.get("programme") or ""),
        )
        known = last.get(touch.message_id)
        if known is None or touch > known:
            last[touch.message_id] = touch
    return tuple(sorted(last.values()))
