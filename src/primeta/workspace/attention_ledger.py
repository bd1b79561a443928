"""The ledger of a workspace: write events down, look at one customer, check the chain, work states out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from primeta.attention.chain import Checked, Head, check
from primeta.attention.fold import CustomerState, fold, state_as_of
from primeta.attention.ledger import Event
from primeta.attention.records import Entry
from primeta.store.attention_state import load_state
from primeta.store.ledger import Appended, append_all, each_entry, load_entries, load_head, rebuild_states

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


def record(ws: Workspace, events: Iterable[Event], *, now: datetime) -> Appended:
    """Write events into the ledger, each once, and bring the states of their customers up to date.

    Raises:
        BadInput: an event cannot be kept; see `attention.ledger.checked`.
    """
    return append_all(ws.database, events, now=now)


def customer_state(
    ws: Workspace, customer_id: str, *, happened: datetime | None = None, learnt: datetime | None = None
) -> CustomerState:
    """One customer now; or as he stood at `happened`, as far as it was known at `learnt` (both: any moment)."""
    with ws.database.read() as connection:
        if happened is None and learnt is None:
            return load_state(connection, customer_id) or CustomerState(customer_id=customer_id)
        entries = load_entries(connection, customer_id, learnt_until=learnt)
    if happened is None:
        return fold(entries, customer_id=customer_id)
    return state_as_of(entries, happened=happened, learnt=learnt, customer_id=customer_id)


def customer_entries(ws: Workspace, customer_id: str) -> tuple[Entry, ...]:
    """All that the ledger holds of one customer, in order."""
    with ws.database.read() as connection:
        return load_entries(connection, customer_id)


def verify(ws: Workspace, *, anchors: Iterable[Head] = ()) -> Checked:
    """Go through the whole chain and say which entries were changed, removed, inserted or reordered."""
    with ws.database.read() as connection:
        return check(each_entry(connection), head=load_head(connection), anchors=tuple(anchors))


def rebuild(ws: Workspace) -> int:
    """Work the state of every customer out of the ledger again; credit that was kept stays.

    Returns:
        How many customers.
    """
    done, ids = 0, iter(_customers(ws))
    while some := list(islice(ids, 1_000)):
        with ws.database.write() as connection:
            rebuild_states(connection, some)
        done += len(some)
    return done


def _customers(ws: Workspace) -> Iterator[str]:
    from sqlalchemy import select

    from primeta.store.schema import ledger

    with ws.database.read() as connection:
        found = connection.scalars(
            select(ledger.c.customer_id).where(ledger.c.customer_id != "").distinct()
        ).all()
    yield from found
