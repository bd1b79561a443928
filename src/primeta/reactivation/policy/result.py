"""What an experiment on the moment, the sequence or the discount found: curve, recommendation, rivals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from primeta.reactivation.policy import words
from primeta.reactivation.policy.picture import policy_picture
from primeta.reactivation.records import NAN, Note
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table
from primeta.stats.doubly_robust import Estimate

Kind = Literal["moment", "sequence", "discount"]
Action = float | str | None
"""A delay in days, a depth as a share, the name of a sequence; "never" and "none" for no contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One action in one part of the customers: money per eligible customer over the horizon."""

    x: Action
    by: str | None = None
    """Segment, or time since lapse and segment; None: everybody."""
    value: float = NAN
    low: float = NAN
    high: float = NAN
    n: int = 0
    """Customers who got just this."""
    tried: bool = True
    """False: read off the curve between what was tried."""
    best: bool = False
    """Whether it may be the best of its part."""
    returned: float = NAN
    """Moment: share who had come back by themselves by then."""
    lost: float = NAN
    """Moment: share who were lost by then."""
    weighted: float = NAN
    """Sequence: by weights alone, without a model."""
    weighted_low: float = NAN
    weighted_high: float = NAN
    effective: float = NAN
    """Sequence: customers of equal weight who would tell as much."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Something simpler than what is recommended; `ahead` is how much the recommendation is above it."""

    name: str
    value: float
    low: float
    high: float
    x: Action = None
    ahead: float = NAN
    ahead_low: float = NAN
    ahead_high: float = NAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Who comes back at one depth, in one part of the customers."""

    x: float
    by: str | None
    share: float
    low: float
    high: float
    monotone: float
    """The nearest shares that do not fall as the discount grows."""
    elasticity: float = NAN
    """Of returns to the price paid, from the depth before to this one."""
    elasticity_low: float = NAN
    elasticity_high: float = NAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the policy does in one part of the customers."""

    by: str | None
    x: Action
    share: float
    """Of the eligible."""
    value: float
    """Over no contact, by the smoothed surface."""
    cost: float
    """Discounts and contacts per customer, over no contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """Off-policy value of a policy, per eligible customer."""

    value: float = NAN
    low: float = NAN
    high: float = NAN
    weighted: float = NAN
    weighted_low: float = NAN
    weighted_high: float = NAN
    normalised: float = NAN
    normalised_low: float = NAN
    normalised_high: float = NAN
    effective: float = NAN
    """Customers of equal weight who would tell as much."""
    followed: int = 0
    """Customers who got what the policy wants."""
    n: int = 0
    unsupported: float = NAN
    """Share of customers for whom nobody could have got what the policy wants."""
    why_not: str = ""

    @classmethod
    def of(
        cls,
        doubly_robust: Estimate,
        weighted: Estimate,
        normalised: Estimate,
        *,
        effective: float,
        followed: int,
        n: int,
    ) -> Valued:
        """A value in three ways, where somebody got everything that the policy wants."""
        return cls(
            value=doubly_robust.value,
            low=doubly_robust.low,
            high=doubly_robust.high,
            weighted=weighted.value,
            weighted_low=weighted.low,
            weighted_high=weighted.high,
            normalised=normalised.value,
            normalised_low=normalised.low,
            normalised_high=normalised.high,
            effective=effective,
            followed=followed,
            n=n,
            unsupported=0.0,
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "weighted": {"value": self.weighted, "low": self.weighted_low, "high": self.weighted_high},
            "normalised": {
                "value": self.normalised,
                "low": self.normalised_low,
                "high": self.normalised_high,
            },
            "effective": self.effective,
            "followed": self.followed,
            "n": self.n,
            "unsupported": self.unsupported,
            "why_not": self.why_not or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The recommendation for one value of `by`."""

    by: str
    n: int
    recommended: Action
    recommended_low: Action
    recommended_high: Action
    value: float
    low: float
    high: float
    p: float
    """Of "nothing that was tried earns anything here", over all that was tried."""
    p_adjusted: float
    """By Holm over the segments."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """One experiment on what to do with lapsed customers."""

    kind: Kind
    basis: Literal["over-control", "total"]
    """Whether values are differences from no contact, or all the money of a customer."""
    control: str
    horizon: int
    level: float
    n: int
    arms: Mapping[str, int]
    curve: tuple[Point, ...] = ()
    recommended: Action | dict[str, Action] = None
    recommended_low: Action = None
    recommended_high: Action = None
    best_set: tuple[Action, ...] = ()
    """What cannot be told from the best."""
    value: float = NAN
    """Of the recommendation, per eligible customer."""
    low: float = NAN
    high: float = NAN
    rivals: tuple[Rival, ...] = ()
    why_not: str = ""
    notes: tuple[Note, ...] = ()
    by: str = ""
    segments: tuple[Segment, ...] = ()
    currency: str = ""
    # discount only
    choices: tuple[Choice, ...] = ()
    responses: tuple[Response, ...] = ()
    regret: float = NAN
    """Expected money per eligible customer that the best policy of all would earn more."""
    regret_low: float = NAN
    regret_high: float = NAN
    kept: float = NAN
    """Share of the best policy's gain over the best constant one that this policy is expected to earn."""
    budget: float = NAN
    cost: float = NAN
    """Expected discounts and contacts for all eligible, over no contact."""
    price_of_budget: float = NAN
    """What one more unit of budget would bring."""
    eligible: int = 0
    policy: Valued | None = None
    """The value of a policy that was given as a file."""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def money(
        self, value: float, lang: str, low: float = NAN, high: float = NAN, *, sign: bool = True
    ) -> str:
        unit: locale.Unit = "money" if self.currency else "count"
        signed = sign and self.basis == "over-control"
        return str(
            locale.figure(value, lang, unit=unit, low=low, high=high, currency=self.currency, sign=signed)
        )

    def line(self, lang: str = "en") -> str:
        """What to do, and what it is worth, in one sentence."""
        return words.headline(self, lang)

    def table(self, lang: str = "en") -> Table:
        """One row for each action and part of the customers."""
        parts = any(point.by is not None for point in self.curve)
        moment = self.kind == "moment"
        heads = [
            *([Head(self.by or words.word("part", lang))] if parts else []),
            Head(words.word(f"x.{self.kind}", lang), "left" if self.kind == "sequence" else "right"),
            Head(words.word("n", lang), "right"),
            Head(words.word(f"value.{self.basis}", lang), "right"),
            *(
                [Head(words.word("returned", lang), "right"), Head(words.word("lost", lang), "right")]
                if moment
                else []
            ),
            Head(""),
        ]
        rows = []
        for point in self.curve:
            if not point.tried:
                continue
            rows.append(
                (
                    *([words.part(point.by, lang)] if parts else []),
                    words.action(self.kind, point.x, lang),
                    locale.number(point.n, lang),
                    f"{locale.CANNOT_TELL[lang]}: {words.word(point.why_not, lang)}"
                    if point.why_not
                    else self.money(point.value, lang, point.low, point.high),
                    *(
                        [
                            locale.percent(point.returned, lang, digits=1),
                            locale.percent(point.lost, lang, digits=1),
                        ]
                        if moment
                        else []
                    ),
                    words.word("may-be-best", lang) if point.best else "",
                )
            )
        return Table(heads=tuple(heads), rows=tuple(rows), note="\n".join(self.remarks(lang)))

    def rival_table(self, lang: str = "en") -> Table:
        """What is simpler, and how much the recommendation is ahead of it."""
        heads = (
            Head(words.word("rival", lang)),
            Head(words.word(f"value.{self.basis}", lang), "right"),
            Head(words.word("ahead", lang), "right"),
        )
        rows = tuple(
            (
                words.rival(self.kind, rival.name, rival.x, lang),
                self.money(rival.value, lang, rival.low, rival.high),
                self.money(rival.ahead, lang, rival.ahead_low, rival.ahead_high)
                if math.isfinite(rival.ahead)
                else "",
            )
            for rival in self.rivals
        )
        return Table(heads=heads, rows=rows)

    def choice_table(self, lang: str = "en") -> Table:
        """What the discount policy does, part by part."""
        heads = (
            Head(words.word("part", lang)),
            Head(words.word("x.discount", lang), "right"),
            Head(words.word("share", lang), "right"),
            Head(words.word("value.over-control", lang), "right"),
            Head(words.word("cost", lang), "right"),
        )
        rows = tuple(
            (
                words.part(choice.by, lang),
                words.action("discount", choice.x, lang),
                locale.percent(choice.share, lang, digits=0),
                self.money(choice.value, lang),
                self.money(choice.cost, lang),
            )
            for choice in self.choices
        )
        return Table(heads=heads, rows=rows)

    def response_table(self, lang: str = "en") -> Table:
        """Who comes back at each depth, and how strongly the price decides it."""
        heads = (
            Head(words.word("part", lang)),
            Head(words.word("x.discount", lang), "right"),
            Head(words.word("came", lang), "right"),
            Head(words.word("elasticity", lang), "right"),
        )
        rows = []
        for entry in self.responses:
            slope = locale.figure(
                entry.elasticity,
                lang,
                unit="count",
                low=entry.elasticity_low,
                high=entry.elasticity_high,
                sign=True,
            )
            rows.append(
                (
                    words.part(entry.by, lang),
                    words.action("discount", entry.x, lang),
                    str(locale.figure(entry.share, lang, unit="share", low=entry.low, high=entry.high)),
                    str(slope) if slope.known else "",
                )
            )
        return Table(heads=heads, rows=tuple(rows))

    def segment_table(self, lang: str = "en") -> Table:
        heads = (
            Head(self.by),
            Head(words.word("n", lang), "right"),
            Head(words.word("recommended", lang)),
            Head(words.word(f"value.{self.basis}", lang), "right"),
            Head(words.word("p-adjusted", lang), "right"),
        )
        rows = []
        for entry in self.segments:
            p = (
                locale.number(entry.p_adjusted, lang, digits=3)
                if entry.p_adjusted >= 0.001
                else "< " + locale.number(0.001, lang)
            )
            rows.append(
                (
                    words.part(entry.by, lang),
                    locale.number(entry.n, lang),
                    words.word(entry.why_not, lang)
                    if entry.why_not
                    else words.action(self.kind, entry.recommended, lang),
                    self.money(entry.value, lang, entry.low, entry.high),
                    p if math.isfinite(entry.p_adjusted) else "",
                )
            )
        return Table(heads=heads, rows=tuple(rows))

    def remarks(self, lang: str = "en") -> list[str]:
        """What a reader must know beside the numbers."""
        return words.remarks(self, lang)

    def picture(self, lang: str = "en") -> Picture:
        """The curve with its interval: what each action is worth."""
        return policy_picture(self, lang)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; codes and sentences in English."""
        return {
            "kind": self.kind,
            "basis": self.basis,
            "control": self.control or None,
            "horizon": self.horizon,
            "level": self.level,
            "n": self.n,
            "arms": dict(self.arms),
            "curve": [self._point(point) for point in self.curve],
            "recommended": self.recommended,
            "recommended_low": self.recommended_low,
            "recommended_high": self.recommended_high,
            "best_set": list(self.best_set),
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "rivals": [
                {
                    "name": rival.name,
                    "x": rival.x,
                    "value": rival.value,
                    "low": rival.low,
                    "high": rival.high,
                    "ahead": rival.ahead,
                    "ahead_low": rival.ahead_low,
                    "ahead_high": rival.ahead_high,
                }
                for rival in self.rivals
            ],
            "why_not": self.why_not or None,
            "segments": [
                {
                    "by": entry.by,
                    "n": entry.n,
                    "recommended": entry.recommended,
                    "recommended_low": entry.recommended_low,
                    "recommended_high": entry.recommended_high,
                    "value": entry.value,
                    "low": entry.low,
                    "high": entry.high,
                    "p": entry.p,
                    "p_adjusted": entry.p_adjusted,
                    "why_not": entry.why_not or None,
                }
                for entry in self.segments
            ],
            **(self._discount_document() if self.kind == "discount" else {}),
            **({"policy": self.policy.as_dict()} if self.policy is not None else {}),
            "line": self.line("en"),
            "notes": self.remarks("en"),
        }

    def _point(self, point: Point) -> dict[str, Any]:
        own: dict[str, Any] = {}
        if self.kind == "moment":
            own = {"returned": point.returned, "lost": point.lost}
        if self.kind == "sequence":
            weighted = {"value": point.weighted, "low": point.weighted_low, "high": point.weighted_high}
            own = {"weighted": weighted, "effective": point.effective}
        return {
            "x": point.x,
            "by": point.by,
            "value": point.value,
            "low": point.low,
            "high": point.high,
            "n": point.n,
            "tried": point.tried,
            "best": point.best,
            **own,
            "why_not": point.why_not or None,
        }

    def _discount_document(self) -> dict[str, Any]:
        return {
            "choices": [
                {
                    "by": choice.by,
                    "x": choice.x,
                    "share": choice.share,
                    "value": choice.value,
                    "cost": choice.cost,
                }
                for choice in self.choices
            ],
            "response": [
                {
                    "x": entry.x,
                    "by": entry.by,
                    "share": entry.share,
                    "low": entry.low,
                    "high": entry.high,
                    "monotone": entry.monotone,
                    "elasticity": entry.elasticity,
                    "elasticity_low": entry.elasticity_low,
                    "elasticity_high": entry.elasticity_high,
                }
                for entry in self.responses
            ],
            "regret": {
                "value": self.regret,
                "low": self.regret_low,
                "high": self.regret_high,
                "kept": self.kept,
            },
            "budget": {
                "money": self.budget,
                "cost": self.cost,
                "price": self.price_of_budget,
                "eligible": self.eligible,
            },
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html() + self.rival_table().html()
