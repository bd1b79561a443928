"""What was found of each acquisition source: what its customers bring, cost and pay back, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from primeta.reactivation.acquisition_words import WORDS, said
from primeta.show import locale
from primeta.show.result import Head, Table

Cohort = Literal["month", "quarter", "year", "all"]
LEAST = 30
"""Customers of a source or a cohort below which no money is told."""
UNKNOWN = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Money per customer within so many days of his first order, over what he cost."""

    days: int
    money: float
    """Cumulative, per customer."""
    value: float
    """1 is break-even."""
    low: float
    high: float
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payback:
    """The first day since the first order on which customers have brought what they cost."""

    day: int | None
    """None: not yet, or not known."""
    low: int | None
    high: int | None
    """None: perhaps never."""
    seen: int
    """Days that enough customers have lived through."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source, over all cohorts (`cohort` empty) or in one of them."""

    source: str
    cohort: str
    customers: int
    """With a first order."""
    observed: float
    """Money so far within the horizon since the first order, per customer."""
    modelled: float
    """Expected of what is left of it."""
    ltv: float
    low: float
    high: float
    discount_share: float
    farm_share: float
    spend: float
    cost: float
    """Spend per customer acquired while spend is known."""
    returns: tuple[Return, ...]
    payback: Payback
    rank_customers: int = 0
    rank_worth: int = 0
    """By LTV less cost among those whose cost is known (by LTV, where none is); 0: not ranked."""
    why_not: str = ""

    @property
    def worth(self) -> float:
        """LTV less what a customer cost; without a known cost LTV."""
        return self.ltv - self.cost if math.isfinite(self.cost) else self.ltv


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """Two sources that first orders rank otherwise than worth does."""

    more: str
    """Brings more first orders."""
    better: str
    """Brings customers worth more, for sure."""
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All sources side by side."""

    sources: tuple[Source, ...]
    """Over all cohorts, most first orders first."""
    cohorts: tuple[Source, ...]
    flips: tuple[Flip, ...]
    until: date
    cohort: Cohort
    horizon_days: int
    money_of: str
    spend_known: bool
    farms_known: bool
    spend_since: date | None = None
    unspent: tuple[str, ...] = ()
    """Spend without customers."""
    unknown: int = 0
    no_model: str = ""
    currency: str = ""
    why_not: str = ""

    def line(self, lang: str = "en") -> str:
        """Who brings most and who brings the best."""
        if self.why_not:
            return said(f"cannot.{self.why_not}", lang, n=LEAST)
        named = [row for row in self.sources if row.source != UNKNOWN]
        first = named[0] if named else self.sources[0]
        if len(self.sources) == 1:
            return said("line.one", lang, first=self._name(first.source, lang))
        by_name = {row.source: row for row in self.sources}
        flips = [flip for flip in self.flips if flip.more == first.source]
        if flips:
            best = by_name[max(flips, key=lambda flip: by_name[flip.better].worth).better]
            both = math.isfinite(best.cost) and math.isfinite(first.cost)
            values = (best.worth, first.worth) if both else (best.ltv, first.ltv)
            return said(
                "line.flip",
                lang,
                first=self._name(first.source, lang),
                best=self._name(best.source, lang),
                cost=WORDS["after-cost"][lang] if both else "",
                value=self._money(values[0], lang),
                other=self._money(values[1], lang),
            )
        code = "line.same" if first.rank_worth == 1 else "line.unsure"
        return said(code, lang, first=self._name(first.source, lang))

    def table(self, lang: str = "en") -> Table:
        """Sources side by side, most first orders first."""
        return self._table(self.sources, lang, cohorts=False)

    def cohort_table(self, lang: str = "en") -> Table:
        """The same by time of the first order."""
        return self._table(self.cohorts, lang, cohorts=True)

    def _table(self, rows: Sequence[Source], lang: str, *, cohorts: bool) -> Table:
        days = self.returns_shown
        heads = [Head(WORDS["source"][lang])]
        if cohorts:
            heads.append(Head(WORDS["cohort"][lang]))
        heads += [
            Head(WORDS[code][lang], "right")
            for code in ("customers", "observed", "ltv", "interval", "discount_share")
        ]
        if self.farms_known:
            heads.append(Head(WORDS["farm_share"][lang], "right"))
        if self.spend_known:
            heads.append(Head(WORDS["cost"][lang], "right"))
            if days:
                heads.append(Head(said("return", lang, days=days), "right"))
            heads.append(Head(WORDS["payback"][lang], "right"))
        if not cohorts:
            heads.append(Head(WORDS["rank"][lang], "right"))
        body = []
        for row in rows:
            cells = [self._name(row.source, lang)]
            if cohorts:
                cells.append(row.cohort)
            interval = ""
            if math.isfinite(row.low):
                shown = locale.figure(
                    row.ltv,
                    lang,
                    unit="money" if self.currency else "count",
                    low=row.low,
                    high=row.high,
                    currency=self.currency,
                )
                interval = shown.interval
            cells += [
                locale.number(row.customers, lang),
                self._money(row.observed, lang),
                self._money(row.ltv, lang),
                interval,
                _share(row.discount_share, lang),
            ]
            if self.farms_known:
                cells.append(_share(row.farm_share, lang))
            if self.spend_known:
                cells.append(self._money(row.cost, lang) if math.isfinite(row.cost) else "")
                if days:
                    told = next((entry for entry in row.returns if entry.days == days), None)
                    cells.append(_share(told.value, lang) if told else "")
                cells.append(self._paid(row.payback, lang))
            if not cohorts:
                cells.append(f"{row.rank_customers} → {row.rank_worth}" if row.rank_worth else "")
            body.append(tuple(cells))
        return Table(
            heads=tuple(heads),
            rows=tuple(body),
            note="" if cohorts else "\n".join(self.remarks(lang)),
        )

    @property
    def returns_shown(self) -> int:
        """The longest horizon that every source with a cost has lived through; 0: none."""
        rows = [row for row in self.sources if math.isfinite(row.cost)]
        days = [entry.days for row in rows[:1] for entry in row.returns]
        good = [
            day
            for day in days
            if all(
                math.isfinite(entry.value)
                for row in rows
                for entry in row.returns
                if entry.days == day and not row.why_not
            )
        ]
        return max(good, default=0)

    def _paid(self, payback: Payback, lang: str) -> str:
        if payback.day is not None:
            return said("day", lang, n=payback.day) if payback.day else WORDS["at-once"][lang]
        if payback.why_not == "not-yet":
            return said("not-yet", lang, n=payback.seen)
        return ""

    def remarks(self, lang: str = "en") -> list[str]:
        """What must be known beside the numbers."""
        if self.why_not:
            return []
        told = []
        if self.no_model:
            told.append(said("note.no-model", lang, reason=self.no_model))
        else:
            told.append(said("note.ltv", lang, days=self.horizon_days))
        if self.money_of == "revenue":
            told.append(WORDS["note.revenue"][lang])
        if self.spend_known:
            without = [self._name(row.source, lang) for row in self.sources if not math.isfinite(row.cost)]
            if without:
                told.append(said("note.no-spend", lang, sources=locale.listed(without, lang)))
            if self.unspent:
                told.append(said("note.spend-only", lang, sources=locale.listed(self.unspent, lang)))
            if self.spend_since is not None:
                told.append(said("note.spend-since", lang, day=locale.day(self.spend_since, lang)))
        if self.unknown:
            told.append(said("note.unknown", lang, n=locale.number(self.unknown, lang)))
        told.append(WORDS["note.choice"][lang])
        return told

    def _name(self, source: str, lang: str) -> str:
        return WORDS["unknown-source"][lang] if source == UNKNOWN else source

    def _money(self, value: float, lang: str) -> str:
        if not math.isfinite(value):
            return locale.CANNOT_TELL[lang]
        if self.currency:
            return locale.money(value, lang, self.currency)
        return locale.number(value, lang, digits=locale.decimals_alone(value))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""

        def row(entry: Source) -> dict[str, Any]:
            return {
                "source": None if entry.source == UNKNOWN else entry.source,
                "cohort": entry.cohort or None,
                "customers": entry.customers,
                "observed": entry.observed,
                "modelled": entry.modelled,
                "ltv": entry.ltv,
                "low": entry.low,
                "high": entry.high,
                "discount_share": entry.discount_share,
                "farm_share": entry.farm_share,
                "spend": entry.spend,
                "cost": entry.cost,
                "returns": [
                    {
                        "days": told.days,
                        "money": told.money,
                        "value": told.value,
                        "low": told.low,
                        "high": told.high,
                        "why_not": told.why_not or None,
                    }
                    for told in entry.returns
                ],
                "payback": {
                    "day": entry.payback.day,
                    "low": entry.payback.low,
                    "high": entry.payback.high,
                    "seen": entry.payback.seen,
                    "why_not": entry.payback.why_not or None,
                },
                "rank_customers": entry.rank_customers or None,
                "rank_worth": entry.rank_worth or None,
                "why_not": entry.why_not or None,
            }

        return {
            "until": self.until,
            "horizon_days": self.horizon_days,
            "value_of": self.money_of,
            "sources": [row(entry) for entry in self.sources],
            "cohorts": [row(entry) for entry in self.cohorts],
            "flips": [
                {
                    "more": flip.more,
                    "better": flip.better,
                    "difference": flip.difference,
                    "low": flip.low,
                    "high": flip.high,
                }
                for flip in self.flips
            ],
            "notes": self.remarks("en"),
            "why_not": self.why_not or None,
        }

    def _repr_html_(self) -> str:
        return self.table().html()


def _share(value: float, lang: str) -> str:
    return locale.percent(value, lang) if math.isfinite(value) else ""
