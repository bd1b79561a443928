"""Credit of every customer, kept beside his state, so that a question finds it and nothing is worked out then."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from primeta.attention.credit_kept import CREDIT_KINDS, credit_events, is_fresh, pack_credit
from primeta.store.attention_state import save_credit
from primeta.store.ledger import load_brief
from primeta.store.schema import attention_states

if TYPE_CHECKING:
    from primeta.attention.credit import CreditModel
    from primeta.workspace.workspace import Progress, Workspace

AT_ONCE = 2_000
AT_MOST = timedelta(days=7)
"""Credit changes with time too; what is older is worked out anew."""


def keep_credit(ws: Workspace, *, now: datetime, progress: Progress | None = None) -> int:
    """Work credit out anew where the ledger, the policy or the model has moved on; all else stays.

    What came of messages is what the ledger knows: human clicks and replies, opt-outs and complaints.

    Returns:
        For how many customers.
    """
    from primeta.attention.credit_bulk import credits_of_many
    from primeta.workspace.may_send import Desk

    desk = Desk(ws, now=now)
    policy, model = desk.policy, desk.learnt_model(now=now)
    desk.close()
    mark = mark_of(model)
    table, last, done = attention_states, "", 0
    while True:
        query = (
            select(table.c.customer_id, table.c.number, table.c.credit)
            .where(table.c.customer_id > last)
            .order_by(table.c.customer_id)
            .limit(AT_ONCE)
        )
        with ws.database.read() as connection:
            rows = connection.execute(query).all()
            stale = {
                customer: number
                for customer, number, kept in rows
                if not is_fresh(
                    None if kept is None else bytes(kept),
                    number=number,
                    policy=policy,
                    model=mark,
                    now=now,
                    at_most=AT_MOST,
                )
            }
            told = load_brief(connection, list(stale), CREDIT_KINDS)
        credits = credits_of_many(
            {customer: credit_events(entries) for customer, entries in told.items()},
            model=model,
            policy=policy,
            now=now,
        )
        packed = {
            customer: pack_credit(found, policy=policy, at=now, number=stale[customer], model=mark)
            for customer, found in credits.items()
        }
        if not rows:
            return done
        if packed:
            with ws.database.write() as connection:
                save_credit(connection, packed, at=now.astimezone(UTC))
        last, done = rows[-1][0], done + len(packed)
        if progress is not None:
            progress("credit", done, done)


def mark_of(model: CreditModel) -> str:
    """By which a model is recognised."""
    text = json.dumps(model.as_dict(), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
