"""What the page of consents shows of wishes: the oldest that wait and how many there are, the last that were settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from primeta.attention.records import Entry
from primeta.store.keys import keys_of
from primeta.store.ledger import load_kind, load_numbered, wish_keys
from primeta.workspace.attention_wishes import WishView, view_of

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledWish:
    """A wish on which a person has said his word."""

    wish: WishView
    verdict: str
    """`confirmed` or `released`."""
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WishDesk:
    """Wishes for a person to work through."""

    waiting: tuple[WishView, ...]
    """The oldest."""
    total: int
    """Of those that wait."""
    settled: tuple[SettledWish, ...]
    """The newest word first."""


def wish_desk(ws: Workspace, *, now: datetime, most: int = 50, settled: int = 20) -> WishDesk:
    """Wishes as a page shows them: of thousands only those that are shown are read whole."""
    keys = keys_of(ws.database, now=now)
    with ws.database.read() as connection:
        told = wish_keys(connection)
        words: dict[str, Entry] = {}
        for entry in load_kind(connection, "wish-confirmed"):
            if not entry.salt:
                continue
            wish = entry.payload["wish"]
            known = words.get(wish)
            # Once confirmed, no release undoes it.
            if known is None or known.payload["verdict"] != "confirmed":
                words[wish] = entry
        waiting = [number for key, number in told if key not in words]
        numbers = {key: number for key, number in told if key in words}
        last = sorted(
            (word for key, word in words.items() if key in numbers),
            key=lambda word: (word.happened_at, word.number),
            reverse=True,
        )[:settled]
        shown = [*waiting[:most], *(numbers[word.payload["wish"]] for word in last)]
        entries = load_numbered(connection, shown)
    views = {number: view_of(entry, keys.pseudonym(entry.customer_id)) for number, entry in entries.items()}
    return WishDesk(
        waiting=tuple(views[number] for number in waiting[:most] if number in views),
        total=len(waiting),
        settled=tuple(
            SettledWish(
                wish=views[numbers[word.payload["wish"]]],
                verdict=word.payload["verdict"],
                by=word.by,
                at=word.happened_at,
                note=word.payload.get("note", ""),
            )
            for word in last
            if numbers[word.payload["wish"]] in views
        ),
    )
