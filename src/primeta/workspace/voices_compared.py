"""What customers did after they had spoken of a theme, beside customers like them who spoke of something else.

A row is a customer's first voice of a month. It is compared within its stratum: the quarter, the way by which it came, how
long the customer had been silent, what he had spent in the year before (and the segment that was asked for); the other
themes of its voice are held equal. Only rows whose window is over count, whatever happened in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from primeta.facts import Period
from primeta.sources.records import Document
from primeta.stats.stratified_difference import Stratified, stratified_difference
from primeta.warehouse.facts_store import Facts
from primeta.workspace.texts_views import After

if TYPE_CHECKING:
    from primeta.signals.texts.themes import FoundThemes
    from primeta.warehouse.voices_after import AfterVoices
    from primeta.workspace.workspace import Workspace

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVEL = 0.95
FEWEST = 30
"""Customers on each side of a comparison."""
FEWEST_EVENTS = 10
"""Customers who are to be expected with the outcome, and without it, on each side."""
REST = 0.05
"""Share of voices without a theme from which the other themes of a voice are held equal."""
SEGMENT_FEWEST = 20
"""Voices of a segment whose share is told."""
MOST_SEGMENTS = 12
SILENCE = "silence"
VALUE = "value"
OWN = (SILENCE, VALUE)
"""Segments that are worked out at the voice: how long silent, and worth of the year before."""
_SILENT_DAYS = (30.0, 90.0, 180.0, 365.0)
_SILENT_NAMES = ("≤30", "31-90", "91-180", "181-365", ">365", "never")
_VALUE_NAMES = ("none", "low", "middle", "high")
OUTCOMES = ("returned", "orders", "opted_out")
NAN = float("nan")


def told_at(one: Document) -> datetime:
    """When it was said; where nobody says, when it was seen."""
    return one.published_at or one.seen_at


def text_of(one: Document) -> str:
    return f"{one.title}\n{one.text}" if one.title else one.text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined:
    """The voices whose customer is named, with what the facts have of them."""

    place: Ints
    """(m,) among all voices."""
    facts: AfterVoices
    silence: Ints
    """(m,) band."""
    value: Ints
    """(m,) band."""
    segment: tuple[str, ...]
    """(m,) value of the attribute, empty where unknown or where none was asked for."""


def joined_to(facts: Facts | None, spoken: Sequence[Document], window_days: int, by: str) -> Joined | None:
    from primeta.warehouse.voices_after import after_voices

    place = np.array([at for at, one in enumerate(spoken) if one.customer_id], dtype=np.int64)
    if facts is None or not len(place):
        return None
    mine = [spoken[at] for at in place]
    read = after_voices(
        facts,
        [one.customer_id for one in mine],
        [told_at(one) for one in mine],
        window_days=window_days,
        attribute="" if by in OWN else by,
    )
    silence, value = silence_band(read.silent_days), value_band(read.value)
    if by == SILENCE:
        segment = tuple(_SILENT_NAMES[band] for band in silence)
    elif by == VALUE:
        segment = tuple(_VALUE_NAMES[band] for band in value)
    else:
        segment = tuple(each or "" for each in read.attribute)
    return Joined(place=place, facts=read, silence=silence, value=value, segment=segment)


def silence_band(days: Floats) -> Ints:
    """(n,) 0 … 4 by how long the customer had been silent; 5: he had never ordered (NaN)."""
    band = np.searchsorted(_SILENT_DAYS, days)
    return np.where(np.isnan(days), len(_SILENT_DAYS) + 1, band).astype(np.int64)


def value_band(value: Floats) -> Ints:
    """(n,) 0: spent nothing in the year before; 1 … 3: thirds of those who did."""
    spent = value[value > 0]
    thirds = np.quantile(spent, [1 / 3, 2 / 3]) if len(spent) else np.array([0.0, 0.0])
    return np.where(value > 0, 1 + np.searchsorted(thirds, value), 0).astype(np.int64)


def segments_of(joined: Joined, inside: Bools, by: str) -> dict[str, Bools]:
    """Slice → which voices of the period are its own, the largest first."""
    before = np.cumsum(inside) - 1
    found: dict[str, Bools] = {}
    for at, name, there in zip(joined.place, joined.segment, joined.facts.known, strict=True):
        if inside[at] and there and name:
            found.setdefault(f"{by}={name}", np.zeros(int(inside.sum()), dtype=bool))[before[at]] = True
    often = sorted(found, key=lambda code: (-int(found[code].sum()), code))
    return {code: found[code] for code in often[:MOST_SEGMENTS] if found[code].sum() >= SEGMENT_FEWEST}


def after_of(
    ws: Workspace,
    facts: Facts | None,
    spoken: Sequence[Document],
    found: FoundThemes,
    joined: Joined | None,
    window_days: int,
    now: datetime,
    by: str,
) -> tuple[list[tuple[After, ...]], dict[str, Any]]:
    """Each theme's outcomes, and what was compared."""
    if joined is None or facts is None or facts.seen_until is None:
        why = "no-facts" if facts is None or facts.seen_until is None else "no-customers"
        return [_untold(window_days, why)] * len(found.themes), {"why_not": why}
    # Whatever happened later than the facts were seen is not there.
    over = min(facts.seen_until, now) - timedelta(days=window_days)
    first = _first_of_month(ws, spoken, joined)
    mature = first & np.array([told_at(spoken[at]) <= over for at in joined.place], dtype=bool)
    rows = np.flatnonzero(mature)
    told: dict[str, Any] = {
        "window_days": window_days,
        "since": ws.day_of(told_at(spoken[int(joined.place[rows[0]])])) if len(rows) else None,
        "until": ws.day_of(over),
        "customers": len({spoken[joined.place[row]].customer_id for row in rows}),
        "not_over": len({spoken[joined.place[row]].customer_id for row in np.flatnonzero(first & ~mature)}),
        "comparisons": 0,
    }
    if not len(rows):
        why = "not-over" if first.any() else "no-customers"
        return [_untold(window_days, why)] * len(found.themes), {**told, "why_not": why}
    place = joined.place[rows]
    said = found.of([text_of(spoken[at]) for at in place], [spoken[at].source for at in place])
    table = Compared(
        said=said,
        stratum=coded(
            [
                (
                    Period.holding(ws.day_of(told_at(spoken[at])), "quarter").code,
                    spoken[at].kind,
                    int(joined.silence[row]),
                    int(joined.value[row]),
                    joined.segment[row] if by else "",
                )
                for row, at in zip(rows, place, strict=True)
            ]
        ),
        customer=coded([spoken[at].customer_id for at in place]),
        outcomes={
            "returned": np.where(
                np.isnan(joined.facts.orders[rows]),
                np.nan,
                (joined.facts.orders[rows] > 0).astype(np.float64),
            ),
            "orders": joined.facts.orders[rows],
            "opted_out": joined.facts.opted_out[rows],
        },
    )
    after, told["comparisons"] = table.all(window_days=window_days)
    told["held_equal"] = table.holds_equal
    return after, told


def _first_of_month(ws: Workspace, spoken: Sequence[Document], joined: Joined) -> Bools:
    """(m,) whether it is its customer's first voice of the month, of a customer whom the facts know."""
    seen: set[tuple[str, str]] = set()
    first = np.zeros(len(joined.place), dtype=bool)
    for row, at in enumerate(joined.place):
        key = (spoken[at].customer_id, ws.day_of(told_at(spoken[at])).strftime("%Y-%m"))
        if joined.facts.known[row] and key not in seen:
            seen.add(key)
            first[row] = True
    return first


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """Customers' first voices of each month, whose window is over."""

    said: Bools
    """(n, themes)."""
    stratum: Ints
    customer: Ints
    outcomes: Mapping[str, Floats]

    def why_not(self, theme: int, name: str) -> str:
        """Why the outcome is not compared; empty where it is."""
        outcome = self.outcomes[name]
        if np.isnan(outcome).all():
            return "no-orders" if name != "opted_out" else "no-reactions"
        said = self.said[:, theme]
        here = np.bincount(self.stratum, weights=said)
        there = np.bincount(self.stratum, weights=~said)
        kept = ((here > 0) & (there > 0))[self.stratum]
        groups = [len(np.unique(self.customer[kept & side])) for side in (said, ~said)]
        if len(np.unique(self.customer[said])) < FEWEST:
            return "too-few"
        if min(groups) < FEWEST:
            return "nobody-alike"
        share = float(np.mean(outcome[kept] > 0))
        if min(share, 1 - share if name != "orders" else 1.0) * min(groups) < FEWEST_EVENTS:
            return "too-rare"
        return ""

    @property
    def holds_equal(self) -> bool:
        """Whether there are enough voices of no theme for the other themes to be held equal against."""
        rest = ~self.said.any(axis=1)
        return bool(rest.mean() >= REST and len(np.unique(self.customer[rest])) >= FEWEST)

    def all(self, *, window_days: int) -> tuple[list[tuple[After, ...]], int]:
        """Every theme's outcomes, with intervals that hold together (Bonferroni), and how many comparisons were made."""
        themes = range(self.said.shape[1])
        made = sum(not self.why_not(theme, name) for theme in themes for name in OUTCOMES)
        level = 1 - (1 - LEVEL) / max(1, made)
        return [
            tuple(self.compare(theme, name, window_days=window_days, level=level) for name in OUTCOMES)
            for theme in themes
        ], made

    def compare(self, theme: int, name: Any, *, window_days: int, level: float) -> After:
        why = self.why_not(theme, name)
        said = self.said[:, theme]
        if why:
            return _none(name, window_days, why, n=len(np.unique(self.customer[said])))
        answer = self._told(theme, name, level)
        if not np.isfinite(answer.se):
            return _none(name, window_days, "nobody-alike", n=len(np.unique(self.customer[said])))
        return After(
            outcome=name,
            window_days=window_days,
            said=answer.exposed,
            others=answer.others,
            difference=answer.difference,
            low=answer.low,
            high=answer.high,
            n=answer.clusters,
            n_others=answer.clusters_others,
        )

    def _told(self, theme: int, name: str, level: float) -> Stratified:
        # The other themes are held equal: beside customers who never came back, any theme would look like a good sign.
        many = self.said.sum(axis=0) >= (FEWEST if self.holds_equal else len(self.said) + 1)
        many[theme] = False
        return stratified_difference(
            self.outcomes[name],
            self.said[:, theme],
            self.stratum,
            self.customer,
            level=level,
            beside=self.said[:, many],
        )


def _untold(window_days: int, why: str) -> tuple[After, ...]:
    return tuple(_none(name, window_days, why) for name in OUTCOMES)


def _none(name: Any, window_days: int, why: str, *, n: int = 0) -> After:
    return After(
        outcome=name, window_days=window_days, said=NAN, others=NAN, difference=NAN, low=NAN, high=NAN, n=n,
        n_others=0, why_not=why,
    )  # fmt: skip


def coded(keys: Sequence[Any]) -> Ints:
    place: dict[Any, int] = {}
    return np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int64)
