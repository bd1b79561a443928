"""Would you wait for the next one? What reviewers think of messages, as data beside what customers did."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from primeta.attention.shade import came_to
from primeta.attention.welcome_shares import WelcomeShare, welcome_shares
from primeta.errors import BadInput, NotFound
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.stats.agreement import krippendorff_alpha, wilson_interval
from primeta.store.attention_state import customer_of
from primeta.store.keys import keys_of
from primeta.store.ledger import load_entries
from primeta.store.touch_marks import MARKS, TouchMark, drop_mark, load_marks, marks_version, save_mark
from primeta.warehouse.duck import connect, plain_errors
from primeta.warehouse.facts_store import load_facts
from primeta.workspace.attention_marks_words import tell

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

By = Literal["campaign", "programme", "purpose"]
GROUPS: tuple[By, ...] = ("purpose", "programme", "campaign")
ORDER = ("no", "neutral", "yes")
"""From least to most: agreement is measured on this scale."""
MOST_NOTE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkGroup:
    """What reviewers think of the messages of one campaign, programme or purpose."""

    by: By
    name: str
    touches: int
    """Messages marked."""
    reviewers: int
    yes: int
    no: int
    neutral: int
    share: float
    """Who would wait, of all marks, each message weighing the same however many marked it."""
    low: float
    high: float
    """95%, as if only as many independent marks were given as messages were marked."""
    alpha: float
    """Agreement between reviewers; NaN where no two marked the same message."""
    welcome: float = math.nan
    """Share of this group's messages that customers welcomed; NaN where the facts cannot tell."""
    sent: int = 0
    """Messages that rests on."""

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchMarks:
    """All marks, and what they say by campaign, programme and purpose."""

    marks: tuple[tuple[str, TouchMark], ...]
    """With the pseudonym of the customer to whom the message went."""
    groups: tuple[MarkGroup, ...]
    reviewers: int
    alpha: float

    def of(self, by: By) -> tuple[MarkGroup, ...]:
        return tuple(group for group in self.groups if group.by == by)

    def line(self, lang: str = "en") -> str:
        if not self.marks:
            return tell(lang, "none")
        number = locale.number
        said = tell(
            lang,
            "line",
            marks=number(len(self.marks), lang),
            touches=number(len({mark.message_id for _, mark in self.marks}), lang),
            reviewers=number(self.reviewers, lang),
        )
        alpha = (
            tell(lang, "alpha", alpha=number(self.alpha, lang, digits=2))
            if math.isfinite(self.alpha)
            else tell(lang, "alpha.none")
        )
        return f"{said} {alpha}"

    def table(self, lang: str = "en") -> Table:
        heads = ("by", "name", "marked", "reviewers", "wait", "interval", "alpha-head", "welcome")
        rows = tuple(
            (
                tell(lang, group.by),
                group_name(group, lang),
                locale.number(group.touches, lang),
                locale.number(group.reviewers, lang),
                locale.percent(group.share, lang, digits=0),
                locale.interval(100 * group.low, 100 * group.high, lang, digits=0),
                _or_dash(group.alpha, lambda value: locale.number(value, lang, digits=2)),
                _or_dash(group.welcome, lambda value: locale.percent(value, lang, digits=1)),
            )
            for group in self.groups
        )
        left = ("by", "name")
        return Table(
            heads=tuple(Head(tell(lang, code), "left" if code in left else "right") for code in heads),
            rows=rows,
            note=self.line(lang),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "reviewers": self.reviewers,
            "alpha": self.alpha,
            "groups": [group.as_dict() for group in self.groups],
            "marks": [_row(customer, mark) for customer, mark in self.marks],
        }

    def write(self, out: Path) -> None:
        """One row a mark, CSV or Parquet by the ending.

        Raises:
            BadInput: another ending, or no such folder.
        """
        from primeta.warehouse.write_rows import write_rows

        rows = [_row(customer, mark) for customer, mark in self.marks]
        kinds = {"at": pa.timestamp("us", "UTC")}
        write_rows(
            pa.table(
                {name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in ROW}
            ),
            out,
        )


ROW = (
    "message_id", "customer", "reviewer", "mark", "note", "channel", "purpose", "campaign", "programme", "at",
)  # fmt: skip
"""Columns of the export."""


def _row(customer: str, mark: TouchMark) -> dict[str, Any]:
    return {
        "message_id": mark.message_id,
        "customer": customer,
        "reviewer": mark.reviewer,
        "mark": mark.mark,
        "note": mark.note,
        "channel": mark.channel,
        "purpose": mark.purpose,
        "campaign": mark.campaign,
        "programme": mark.programme,
        "at": mark.at,
    }


def _or_dash(value: float, write: Any) -> str:
    return write(value) if math.isfinite(value) else "—"


def group_name(group: MarkGroup, lang: str) -> str:
    """As people call it."""
    if group.by == "purpose":
        return tell(lang, f"purpose.{group.name}")
    return group.name or tell(lang, "no-name")


def mark_touch(
    ws: Workspace, customer: str, message_id: str, mark: str, *, by: str, now: datetime, note: str = ""
) -> None:
    """Write whether a reviewer would wait for the next message like this one.

    Args:
        customer: The pseudonym of whom it went to.
        mark: `yes`, `no`, `neutral`; empty takes the reviewer's mark back.
    Raises:
        NotFound: no such customer, or this message never went to him.
        BadInput: no reviewer, or another mark.
    """
    reviewer = by.strip()
    if not reviewer or len(reviewer) > 200:
        raise BadInput("say who marks: a name of at most 200 letters")
    if mark and mark not in MARKS:
        raise BadInput(f"the mark {mark[:40]!r} is not known; expected {', '.join(MARKS)}")
    with ws.database.read() as connection:
        customer_id = customer_of(connection, customer)
        entries = load_entries(connection, customer_id) if customer_id else ()
    if not customer_id:
        raise NotFound(f"nobody has the pseudonym {customer[:40]!r}")
    came = next((one for one in came_to(entries, at=now) if one.message_id == message_id), None)
    if came is None:
        raise NotFound(f"no message {message_id[:80]!r} went to {customer}")
    with ws.database.write() as connection:
        if not mark:
            drop_mark(connection, message_id, reviewer)
            return
        save_mark(
            connection,
            TouchMark(
                message_id=message_id,
                reviewer=reviewer,
                customer_id=customer_id,
                mark=next(code for code in MARKS if code == mark),
                at=now,
                note=note.strip()[:MOST_NOTE],
                channel=came.channel[:64],
                purpose=came.purpose[:16],
                campaign=came.campaign,
                programme=came.programme,
            ),
        )


def version_of_marks(ws: Workspace) -> tuple[int, str]:
    """Changes whenever a mark is written or taken back: whoever keeps what they say asks anew."""
    with ws.database.read() as connection:
        return marks_version(connection)


def touch_marks(ws: Workspace, *, now: datetime) -> TouchMarks:
    """All marks, by campaign, programme and purpose, with the interval, the agreement, and what customers did."""
    keys = keys_of(ws.database, now=now)
    with ws.database.read() as connection:
        marks = load_marks(connection)
    shares = _welcome(ws, marks)
    groups = [
        _group(by, name, [mark for mark in marks if getattr(mark, by) == name], shares.get((by, name)))
        for by in GROUPS
        for name in sorted({getattr(mark, by) for mark in marks})
    ]
    return TouchMarks(
        marks=tuple((keys.pseudonym(mark.customer_id), mark) for mark in marks),
        groups=tuple(groups),
        reviewers=len({mark.reviewer for mark in marks}),
        alpha=_agreement(marks),
    )


def _group(by: By, name: str, marks: Sequence[TouchMark], seen: WelcomeShare | None) -> MarkGroup:
    messages = _by_message(marks)
    share = sum(sum(mark == "yes" for mark in given) / len(given) for given in messages) / len(messages)
    low, high = wilson_interval(share, len(messages))
    counts = {code: sum(mark.mark == code for mark in marks) for code in MARKS}
    return MarkGroup(
        by=by,
        name=name,
        touches=len(messages),
        reviewers=len({mark.reviewer for mark in marks}),
        yes=counts["yes"],
        no=counts["no"],
        neutral=counts["neutral"],
        share=share,
        low=low,
        high=high,
        alpha=_agreement(marks),
        welcome=math.nan if seen is None else seen.share,
        sent=0 if seen is None else seen.sent,
    )


def _by_message(marks: Iterable[TouchMark]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for mark in marks:
        found.setdefault(mark.message_id, []).append(mark.mark)
    return list(found.values())


def _agreement(marks: Sequence[TouchMark]) -> float:
    units = [[ORDER.index(mark) for mark in given] for given in _by_message(marks)]
    return krippendorff_alpha(units, values=len(ORDER))


def _welcome(ws: Workspace, marks: Sequence[TouchMark]) -> dict[tuple[str, str], WelcomeShare]:
    facts = load_facts(ws.folder / "facts")
    if facts is None or facts.seen_until is None or not marks:
        return {}
    return _shares(
        tuple(
            (table, tuple(str(facts.path(part)) for part in facts.parts.get(table, ())))
            for table in ("messages", "reactions", "orders", "visits")
        ),
        facts.seen_until,
        *(
            tuple(sorted({getattr(mark, by) for mark in marks}))
            for by in ("campaign", "programme", "purpose")
        ),
    )


@lru_cache(maxsize=8)
def _shares(
    files: tuple[tuple[str, tuple[str, ...]], ...],
    until: datetime,
    campaigns: tuple[str, ...],
    programmes: tuple[str, ...],
    purposes: tuple[str, ...],
) -> dict[tuple[str, str], WelcomeShare]:
    """Remembered: a further mark of the same campaign changes nothing of what customers did."""
    with closing(connect()) as connection, plain_errors("reading what came of messages"):
        return welcome_shares(
            connection,
            dict(files),
            until=until,
            campaigns=campaigns,
            programmes=programmes,
            purposes=purposes,
        )
