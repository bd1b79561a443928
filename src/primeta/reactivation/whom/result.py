"""What was found on whom to write: the learned policy beside simple rules, the Qini curve, whether it is worth it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from primeta.reactivation.records import NAN, Note
from primeta.reactivation.whom import words
from primeta.reactivation.whom.picture import qini_picture
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Money per customer of all when the best `share` of them is written to, over nobody."""

    share: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Qini:
    """`area`: money per customer by which the order beats a random one, on average over the shares treated."""

    area: float = NAN
    low: float = NAN
    high: float = NAN
    curve: tuple[CurvePoint, ...] = ()
    rules: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    """Area of a simple order, with its interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy: money per customer of all, over writing to nobody; `ahead`: the learned one less this one."""

    name: str
    arm: str = ""
    """The one that is sent, where there is a choice."""
    value: float = NAN
    low: float = NAN
    high: float = NAN
    share: float = NAN
    """Of customers written to."""
    ahead: float = NAN
    ahead_low: float = NAN
    ahead_high: float = NAN
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenth:
    """A tenth of the customers by predicted uplift, the highest first: what was predicted and what came."""

    decile: int
    predicted: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Whom:
    """Whom to write, from one lottery."""

    control: str
    arms: Mapping[str, int]
    n: int
    horizon: int
    """Days; 0: what the outcome's column counts."""
    level: float
    qini: Qini = field(default_factory=Qini)
    policies: tuple[Policy, ...] = ()
    recommended: str = ""
    """Name of a policy; empty: cannot tell."""
    recommended_sure: bool = False
    """Whether its interval against writing to nobody (or, where nobody is recommended, the interval of everything
    else) says so."""
    arm_shares: Mapping[str, float] = field(default_factory=dict)
    """Arm → share of customers to whom the learned policy sends it."""
    calibration: tuple[Tenth, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    """Feature → its part in what the policy goes by; the largest first."""
    why_not: str = ""
    """Why the learned policy is not recommended, or why nothing can be told."""
    repeats: int = 0
    folds: int = 0
    currency: str = ""
    out: Path | None = None
    rows: pa.Table | None = None
    notes: tuple[Note, ...] = ()

    def of(self, name: str) -> Policy:
        return next(policy for policy in self.policies if policy.name == name)

    def money(
        self, value: float, lang: str, low: float = NAN, high: float = NAN, *, sign: bool = True
    ) -> str:
        return str(
            locale.figure(
                value, lang, unit="money" if self.currency else "count", low=low, high=high, sign=sign,
                currency=self.currency,
            )
        )  # fmt: skip

    def line(self, lang: str = "en") -> str:
        """Whom to write, and whether learning beats the best simple rule."""
        return words.line(self, lang)

    def table(self, lang: str = "en") -> Table:
        """The policies side by side."""
        heads = (
            Head(words.word("policy", lang)),
            Head(words.word("share", lang), "right"),
            Head(words.word("value", lang), "right"),
            Head(words.word("ahead", lang), "right"),
        )
        rows = tuple(
            (
                words.policy(policy, self, lang),
                locale.percent(policy.share, lang, digits=0) if math.isfinite(policy.share) else "",
                f"{locale.CANNOT_TELL[lang]}: {words.word(policy.why_not, lang)}"
                if policy.why_not
                else "0"
                if policy.name == "none"
                else self.money(policy.value, lang, policy.low, policy.high),
                self.money(policy.ahead, lang, policy.ahead_low, policy.ahead_high)
                if math.isfinite(policy.ahead)
                else "",
            )
            for policy in self.policies
        )
        return Table(heads=heads, rows=rows, note="\n".join(self.remarks(lang)))

    def calibration_table(self, lang: str = "en") -> Table:
        """Tenths of the customers: predicted uplift against what came."""
        heads = (
            Head(words.word("tenth", lang), "right"),
            Head(words.word("predicted", lang), "right"),
            Head(words.word("came", lang), "right"),
        )
        rows = tuple(
            (
                str(tenth.decile),
                self.money(tenth.predicted, lang),
                self.money(tenth.value, lang, tenth.low, tenth.high),
            )
            for tenth in self.calibration
        )
        return Table(heads=heads, rows=rows)

    def feature_table(self, lang: str = "en") -> Table:
        """What the policy goes by."""
        heads = (Head(words.word("feature", lang)), Head(words.word("importance", lang), "right"))
        rows = tuple(
            (words.feature(name, lang), locale.percent(part, lang, digits=0))
            for name, part in self.features.items()
        )
        return Table(heads=heads, rows=rows)

    def remarks(self, lang: str = "en") -> list[str]:
        """What a reader must know beside the numbers."""
        return words.remarks(self, lang)

    def picture(self, lang: str = "en") -> Picture:
        """The Qini curve: money per customer by share written to, beside a random choice."""
        return qini_picture(self, lang)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; codes and sentences in English."""
        return {
            "control": self.control or None,
            "arms": dict(self.arms),
            "n": self.n,
            "horizon": self.horizon or None,
            "level": self.level,
            "qini": {
                "area": self.qini.area,
                "low": self.qini.low,
                "high": self.qini.high,
                "curve": [
                    {"share": p.share, "value": p.value, "low": p.low, "high": p.high}
                    for p in self.qini.curve
                ],
                "rules": [
                    {"name": name, "area": area, "low": low, "high": high}
                    for name, (area, low, high) in self.qini.rules.items()
                ],
            },
            "policies": [
                {
                    "name": p.name,
                    "arm": p.arm or None,
                    "value": p.value,
                    "low": p.low,
                    "high": p.high,
                    "share": p.share,
                    "ahead": p.ahead,
                    "ahead_low": p.ahead_low,
                    "ahead_high": p.ahead_high,
                    "why_not": p.why_not or None,
                }
                for p in self.policies
            ],
            "recommended": self.recommended or None,
            "recommended_sure": self.recommended_sure,
            "why_not": self.why_not or None,
            "arm_shares": dict(self.arm_shares),
            "calibration": [
                {
                    "decile": t.decile,
                    "predicted": t.predicted,
                    "value": t.value,
                    "low": t.low,
                    "high": t.high,
                }
                for t in self.calibration
            ],
            "features": [{"name": name, "importance": part} for name, part in self.features.items()],
            "repeats": self.repeats,
            "folds": self.folds,
            "out": str(self.out) if self.out else None,
            "line": self.line("en"),
            "notes": self.remarks("en"),
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html()
