"""How far consents reach, and whether the chain was checked: counted by jobs and imports, read by pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from primeta.attention.consent_counts import LOOKS_BACK, REACHES, ConsentCounts
from primeta.attention.coverage_words import tell
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.store.attention_counts import (
    KeptCount,
    count_states,
    load_count,
    save_count,
    some_states,
)
from primeta.store.attention_hot import hot_state
from primeta.store.attention_state import unpack
from primeta.store.ledger import load_head
from primeta.workspace.attention_ledger import Verified, verify
from primeta.workspace.may_send import moment_of, policy_in_force

if TYPE_CHECKING:
    from primeta.workspace.workspace import Progress, Workspace

CONSENTS, CHECKED = "consents", "checked"
ASKED = "asked:"
"""Before the name: who asked for it by a button."""
STEP = 5_000
"""States in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Consents to marketing as they were counted last."""

    counted: KeptCount | None
    """None: never."""
    behind: int
    """Entries that came after the count."""
    checked: KeptCount | None
    """The last check of the chain; None: never."""
    unchecked: int
    """Entries that came after the check."""
    entries: int
    """In the ledger."""

    def line(self, lang: Language = "en") -> str:
        """One line for a chat."""
        if self.counted is None:
            return tell(lang, "never-counted")
        told = self.counted.document
        proven = max((row["proven"] + row["accepted"] for row in told["channels"]), default=0)
        said = tell(
            lang,
            "line",
            proven=locale.number(proven, lang),
            customers=locale.number(told["customers"], lang),
        )
        if self.behind:
            said += " " + tell(lang, "behind", n=locale.number(self.behind, lang))
        return said

    def table(self, lang: Language = "en") -> Table:
        """By channel."""
        rows: list[tuple[str, ...]] = []
        if self.counted is not None:
            rows = [
                (row["channel"], *(locale.number(row[reach], lang) for reach in REACHES))
                for row in self.counted.document["channels"]
            ]
        heads = (Head(tell(lang, "channel")), *(Head(tell(lang, reach), "right") for reach in REACHES))
        return Table(heads=heads if rows else (), rows=tuple(rows), note=self.line(lang))

    def as_dict(self) -> dict[str, Any]:
        """The document of `--json`."""
        return {
            "counted": None
            if self.counted is None
            else {"at": self.counted.at, "by": self.counted.by, **self.counted.document},
            "behind": self.behind,
            "checked": None
            if self.checked is None
            else {"at": self.checked.at, "by": self.checked.by, **self.checked.document},
            "unchecked": self.unchecked,
            "entries": self.entries,
        }


def coverage(ws: Workspace) -> Coverage:
    """As it was counted and checked last; reads no ledger."""
    with ws.database.read() as connection:
        counted, checked = load_count(connection, CONSENTS), load_count(connection, CHECKED)
        head = load_head(connection)
    return Coverage(
        counted=counted,
        behind=head.number - counted.number if counted else 0,
        checked=checked,
        unchecked=head.number - checked.number if checked else head.number,
        entries=head.number,
    )


def count_consents(ws: Workspace, *, now: datetime, by: str, progress: Progress | None = None) -> KeptCount:
    """Count consents over the states of all customers, and keep the answer.

    Returns:
        What was kept; its number is the last entry that all states held when the count began.
    """
    at = moment_of(ws, now=now)
    counts = ConsentCounts(at=at)
    since = at - LOOKS_BACK
    channels: set[str] = set()
    with ws.database.read() as connection:
        number, total = load_head(connection).number, count_states(connection)
    # Pages are read one by one: a transaction over all of them would hold up who writes.
    after = ""
    while True:
        with ws.database.read() as connection:
            rows = some_states(connection, after=after, most=STEP)
        if not rows:
            break
        for _, kept in rows:
            state = hot_state(kept, channel="", since=since, first_useful=0) or unpack(kept)
            touches = [(touch.at, touch.channel, touch.purpose) for touch in state.touches]
            channels.update(channel for _, channel, _ in touches)
            counts.add(state.consents, touches)
        after = rows[-1][0]
        if progress is not None:
            progress("consents", min(counts.customers, total), total)
    policy = policy_in_force(ws, now=now)
    channels |= set(policy.channels) | {cap.channel for cap in policy.caps} | set(policy.cost_per_message)
    kept = KeptCount(
        name=CONSENTS, number=number, document=counts.as_dict(channels), by=_asker(ws, CONSENTS, by), at=now
    )
    with ws.database.write() as connection:
        save_count(connection, kept)
    return kept


def check_chain(ws: Workspace, *, now: datetime, by: str) -> Verified:
    """Check the whole chain and keep when, by whom and what was found."""
    found = verify(ws, now=now)
    keep_checked(ws, found, now=now, by=_asker(ws, CHECKED, by))
    return found


def keep_checked(ws: Workspace, found: Verified, *, now: datetime, by: str) -> None:
    """Keep what a check of the chain found."""
    told = found.as_dict()
    head = told["head"]
    document = {
        "ok": told["ok"],
        "entries": told["entries"],
        "erased": told["erased"],
        "found": told["found"],
        "faults": told["faults"][:20],
        "number": head["number"],
        "chain": head["chain"],
    }
    kept = KeptCount(name=CHECKED, number=head["number"], document=document, by=by, at=now)
    with ws.database.write() as connection:
        save_count(connection, kept)


def ask_for(ws: Workspace, name: str, *, now: datetime, by: str) -> None:
    """Remember who asked for a count (`consents`) or a check (`checked`), for the job that does it."""
    asked = KeptCount(name=ASKED + name, number=0, document={}, by=by, at=now)
    with ws.database.write() as connection:
        save_count(connection, asked)


def _asker(ws: Workspace, name: str, by: str) -> str:
    if by != "job":
        return by
    with ws.database.read() as connection:
        asked = load_count(connection, ASKED + name)
    return asked.by if asked else by
