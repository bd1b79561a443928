"""What the page of rights shows: who asked to be deleted and waits, receipts, who is shut out, how long things are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from primeta.config import RETENTION_KEYS
from primeta.store.erased import load_erased
from primeta.store.erasure import unfinished_erasures
from primeta.workspace.attention_wishes import WishView, waiting_wishes
from primeta.workspace.receipts import receipts

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

ANSWER_WITHIN = timedelta(days=30)
"""GDPR art. 12(3): one month; 152-FZ art. 21(5): 30 days. Shorter ones of 152-FZ are told in the docs."""
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Somebody who asked to be deleted, and by when he is to be answered."""

    wish: WishView
    until: date
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """One erasure."""

    number: int
    at: datetime
    by: str
    request: str
    went: int
    """Entries, rows and places."""
    left: int
    """Rows that the team still had to delete in its own tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsView:
    """What is to be done, what was done, and what happens by itself."""

    waiting: tuple[Waiting, ...]
    receipts: tuple[ReceiptLine, ...]
    """The newest MOST."""
    all_receipts: int
    unfinished: int
    erased: int
    """Customers who are shut out."""
    back: int
    """Of those erased, who have consented anew since."""
    retention: tuple[tuple[str, timedelta | None], ...]
    """(class, span; None: kept)."""


def rights_view(ws: Workspace, *, now: datetime) -> RightsView:
    """Read from the state and from `receipts/`; nothing is worked out."""
    asked = [one for one in waiting_wishes(ws, now=now) if one.means == "delete-data"]
    today = ws.day_of(now)
    with ws.database.read() as connection:
        erased = load_erased(connection)
        unfinished = len(unfinished_erasures(connection))
    customers = erased.customers if erased is not None else ()
    back = sum(one.lifted for one in customers)
    every = receipts(ws)
    spans = ws.config.attention.retention
    return RightsView(
        waiting=tuple(
            Waiting(wish=one, until=(until := ws.day_of(one.said_at + ANSWER_WITHIN)), overdue=until < today)
            for one in asked
        ),
        receipts=tuple(
            ReceiptLine(
                number=int(one["receipt"]),
                at=datetime.fromisoformat(one["erased_at"]),
                by=str(one["by"]),
                request=str(one["request"]),
                went=sum(sum(one[part].values()) for part in ("emptied", "deleted", "copies")),
                left=sum(entry["rows"] for entry in one["elsewhere"]),
            )
            for one in every[:MOST]
        ),
        all_receipts=len(every),
        unfinished=unfinished,
        erased=len(customers) - back,
        back=back,
        retention=tuple((name, spans.get(name)) for name in RETENTION_KEYS),
    )
