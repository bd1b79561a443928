"""What a trend is worth: five filters and scenarios from measured, declared and guessed inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from primeta.config import FiltersConfig
from primeta.errors import BadInput
from primeta.trends.records import Basis, FilterScore, Input, InputUnit, Outcome, Scenario, Weighing

DRAWS = 20_000
Z80 = 1.2815515655446004
"""Half the width of P10–P90 in standard deviations of a normal."""
REVENUES = ("revenue_per_customer", "average_order_value")
"""Metrics whose numerator is revenue, the better one first."""
GUESSES = ("adoption", "cost", "effect", "compliance")
"""What a named person may put in: shares, money a year, relative effect, a score 0–100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiEffect:
    """How far one metric stands from what was expected, in the slices a trend touches.

    `relative` and its standard error `se`: +.03 is 3% above. `base` is the expected level in the
    metric's own unit. NaN with `why_not` where it cannot be told.
    """

    metric: str
    relative: float
    se: float
    base: float
    weeks: int
    why_not: str = ""

    @property
    def known(self) -> bool:
        return math.isfinite(self.relative) and math.isfinite(self.se)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A kind of event that acting on the trend takes: is it in the warehouse, and how full?"""

    name: str
    exists: bool
    full: float
    """Share of rows that carry it, 0–1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All that was measured for one trend before it is weighed."""

    reach_customers: float
    """Share of customers in the slices touched; NaN where nobody knows."""
    reach_revenue: float
    revenue_year: float
    """Revenue of everybody over the last 52 weeks, in the workspace's currency."""
    margin: float | None
    kpis: Mapping[str, KpiEffect]
    """By outcome: `arpu`, `retention`, `conversion`."""
    touched: Sequence[str]
    """Metrics that the trend's signals are about."""
    needs: Sequence[Need]
    weeks_to_answer: float
    """Until an experiment on half of the reach would see the smallest effect; inf: never."""
    smallest_effect: float
    consent_share: float
    """Of the customers reached; NaN where the workspace has no consents."""
    same_cause: Mapping[str, Sequence[str]]
    """Metric → metrics that it feeds directly: touching it touches them by half."""


def weigh(
    ground: Ground,
    *,
    goals: Mapping[str, float],
    guesses: Mapping[str, Input],
    thresholds: FiltersConfig,
    now: datetime,
    rng: np.random.Generator,
) -> Weighing:
    """Five filters and the scenarios of one trend.

    Money a year = revenue of everybody × reach × adoption × effect on ARPU × margin − cost, each
    input sampled; P10, P50, P90 over 20,000 draws. An effect that was measured on everybody in the
    slice holds those who did not follow already, so its adoption is 1. Source: DESIGN §5 "Weighing".
    """
    inputs = _inputs(ground, guesses)
    draws = {entry.name: _draw(entry, rng) for entry in inputs}
    money = _money(ground, draws)
    basis = _basis(inputs, ("reach", "adoption", "effect", "margin", "cost"))
    if basis == "measured" and not set(REVENUES) & set(ground.touched):
        # What money did beside another metric is no proof that the one moved the other.
        basis = "computed"
    scenarios = (
        _scenario("money", money, "money", basis),
        *_kpi_scenarios(ground, inputs, draws, rng),
    )
    filters = (
        _relevance(ground, goals, thresholds.relevance),
        _economic(ground, scenarios[0], thresholds),
        _feasibility(ground, thresholds.feasibility),
        _horizon(ground, thresholds),
        _compliance(ground, guesses.get("compliance"), thresholds.compliance),
    )
    return Weighing(
        filters=filters,
        scenarios=scenarios,
        inputs=inputs,
        chance_of_loss=float(np.mean(money < 0)) if np.isfinite(money).all() else float("nan"),
        weighed_at=now,
    )


def guess(name: str, text: str, *, by: str, now: datetime) -> Input:
    """Read `.35`, `35%` or `.2:.35:.5` (P10, P50, P90) as a guess by a named person.

    Raises:
        BadInput: no such input, no number, out of order, or nobody to answer for it.
    """
    if name not in GUESSES:
        raise BadInput(f"{name!r} cannot be guessed; expected one of {', '.join(GUESSES)}")
    if not by.strip():
        raise BadInput(f"a guess of {name} needs a name: say who guesses with --by")
    parts = [part.strip() for part in text.split(":")]
    try:
        numbers = [float(part.removesuffix("%")) / (100 if part.endswith("%") else 1) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3) or not all(math.isfinite(number) for number in numbers):
        raise BadInput(f"{name}={text!r}: expected one number or P10:P50:P90, such as .35 or 20%:35%:50%")
    low, value, high = (numbers[0],) * 3 if len(numbers) == 1 else numbers
    if not low <= value <= high:
        raise BadInput(f"{name}={text!r}: expected P10 ≤ P50 ≤ P90")
    bounds = {"adoption": (0.0, 1.0), "compliance": (0.0, 100.0), "cost": (0.0, math.inf)}
    least, most = bounds.get(name, (-1.0, math.inf))
    if low < least or high > most:
        raise BadInput(f"{name}={text!r}: expected numbers from {least:g} to {most:g}")
    units: dict[str, InputUnit] = {"cost": "money", "effect": "relative"}
    return Input(
        name=name,
        value=value,
        low=low,
        high=high,
        unit=units.get(name, "share"),
        basis="guess",
        by=by,
        at=now.date(),
    )


def _inputs(ground: Ground, guesses: Mapping[str, Input]) -> tuple[Input, ...]:
    arpu = ground.kpis.get("arpu")
    nan = float("nan")
    if "effect" in guesses:
        effect = replace(guesses["effect"], unit="relative")
    elif arpu is not None and arpu.known:
        spread = Z80 * arpu.se
        effect = Input(
            name="effect",
            value=arpu.relative,
            low=arpu.relative - spread,
            high=arpu.relative + spread,
            unit="relative",
            basis="measured",
            by=arpu.metric,
        )
    else:
        effect = Input(name="effect", value=nan, low=nan, high=nan, unit="relative", basis="measured")
    measured = effect.basis == "measured" and math.isfinite(effect.value)
    whole = Input(name="adoption", value=1.0, low=1.0, high=1.0, unit="share", basis="computed")
    unknown = Input(name="adoption", value=nan, low=nan, high=nan, unit="share", basis="guess")
    adoption = guesses.get("adoption") or (whole if measured else unknown)
    margin = nan if ground.margin is None else ground.margin
    free = Input(name="cost", value=0.0, low=0.0, high=0.0, unit="money", basis="declared")
    return (
        _fixed("reach", ground.reach_revenue, "share", "measured"),
        adoption,
        effect,
        _fixed("margin", margin, "share", "declared"),
        replace(guesses["cost"], unit="money") if "cost" in guesses else free,
    )


def _fixed(name: str, value: float, unit: InputUnit, basis: Basis) -> Input:
    return Input(name=name, value=value, low=value, high=value, unit=unit, basis=basis)


def _draw(given: Input, rng: np.random.Generator) -> np.ndarray:
    """A split normal through P10, P50, P90: people's guesses are often lopsided."""
    z = rng.standard_normal(DRAWS)
    below, above = (given.value - given.low) / Z80, (given.high - given.value) / Z80
    drawn = given.value + np.where(z < 0, below, above) * z
    return np.clip(drawn, 0.0, 1.0) if given.name == "adoption" else drawn


def _money(ground: Ground, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    turnover = ground.revenue_year * draws["reach"] * draws["adoption"] * draws["effect"]
    return turnover * draws["margin"] - draws["cost"]


def _basis(inputs: Sequence[Input], names: Sequence[str]) -> Basis:
    return "guess" if any(entry.basis == "guess" for entry in inputs if entry.name in names) else "measured"


def _scenario(
    outcome: Outcome, values: np.ndarray, unit: InputUnit, basis: Basis, why_not: str = ""
) -> Scenario:
    if not why_not and not np.isfinite(values).all():
        why_not = "inputs-missing"
    low, middle, high = (float("nan"),) * 3 if why_not else np.quantile(values, (0.1, 0.5, 0.9)).tolist()
    return Scenario(
        outcome=outcome,
        p10=low,
        p50=middle,
        p90=high,
        unit=unit,
        basis=basis,
        why_not=why_not,
    )


def _kpi_scenarios(
    ground: Ground, inputs: Sequence[Input], draws: Mapping[str, np.ndarray], rng: np.random.Generator
) -> tuple[Scenario, ...]:
    """The whole base a year ahead: retention and conversion in points, ARPU relative."""
    arpu = draws["reach"] * draws["adoption"] * draws["effect"]
    found = [_scenario("arpu", arpu, "relative", _basis(inputs, ("reach", "adoption", "effect")))]
    rest: tuple[Outcome, ...] = ("retention", "conversion")
    for outcome in rest:
        kpi = ground.kpis.get(outcome)
        if kpi is None or not kpi.known:
            why_not = kpi.why_not if kpi is not None and kpi.why_not else "not-measured"
            found.append(_scenario(outcome, np.full(1, np.nan), "points", "measured", why_not))
            continue
        points = ground.reach_customers * kpi.base * (kpi.relative + kpi.se * rng.standard_normal(DRAWS))
        found.append(_scenario(outcome, points, "points", "measured"))
    found.sort(key=lambda entry: ("retention", "arpu", "conversion").index(entry.outcome))
    return tuple(found)


def _relevance(ground: Ground, goals: Mapping[str, float], threshold: float) -> FilterScore:
    """Weight of the year's goals that the trend touches: directly in full, through a cause by half."""
    total = sum(goals.values())
    if not total:
        return _unknown("relevance", "goals", threshold, "relevance-no-goals")
    touched: dict[str, float] = {}
    for goal in goals:
        direct = goal in ground.touched
        indirect = any(goal in ground.same_cause.get(metric, ()) for metric in ground.touched)
        if direct or indirect:
            touched[goal] = 1.0 if direct else 0.5
    value = sum(goals[goal] * share for goal, share in touched.items()) / total
    return FilterScore(
        name="relevance",
        value=value,
        unit="share of goals",
        score=100 * value,
        threshold=threshold,
        basis="measured",
        reason=(
            "relevance-goals" if touched else "relevance-none",
            {"touched": len(touched), "goals": len(goals), "names": sorted(touched)},
        ),
    )


def _economic(ground: Ground, money: Scenario, thresholds: FiltersConfig) -> FilterScore:
    """Money at stake, gained or lost: a loss that is prevented is worth as much as a gain."""
    full = thresholds.money_full_score or 0.01 * ground.revenue_year
    if money.why_not or not full > 0:
        return _unknown("economic", "money a year", thresholds.economic, "economic-unknown", money.basis)
    code = "economic-beside" if money.basis == "computed" else "economic-money"
    return FilterScore(
        name="economic",
        value=money.p50,
        unit="money a year",
        score=min(100.0, 100 * abs(money.p50) / full),
        threshold=thresholds.economic,
        basis=money.basis,
        reason=(code, {"p10": money.p10, "p50": money.p50, "p90": money.p90, "full": full}),
    )


def _feasibility(ground: Ground, threshold: float) -> FilterScore:
    if not ground.needs:
        return _unknown("feasibility", "events", threshold, "feasibility-unknown")
    exists = [need for need in ground.needs if need.exists]
    value = sum(need.full for need in exists) / len(ground.needs)
    weakest = min(exists, key=lambda need: need.full, default=None)
    missing = [need.name for need in ground.needs if not need.exists]
    return FilterScore(
        name="feasibility",
        value=value,
        unit="share of events",
        score=100 * value,
        threshold=threshold,
        basis="measured",
        reason=(
            "feasibility-missing" if missing else "feasibility-events",
            {
                "exist": len(exists),
                "needed": len(ground.needs),
                "missing": missing,
                "weakest": weakest.name if weakest else "",
                "full": weakest.full if weakest else 0.0,
            },
        ),
    )


def _horizon(ground: Ground, thresholds: FiltersConfig) -> FilterScore:
    """100 for an answer within a week, 50 at the quick-win bound, falling with the logarithm."""
    weeks = ground.weeks_to_answer
    if math.isnan(weeks):
        return _unknown("horizon", "weeks", thresholds.horizon, "horizon-unknown", "computed")
    quick = thresholds.quick_weeks
    score = 0.0 if math.isinf(weeks) else 100 - 50 * math.log(max(weeks, 1.0)) / math.log(max(quick, 1.5))
    code = "horizon-never" if math.isinf(weeks) else ("horizon-quick" if weeks <= quick else "horizon-long")
    return FilterScore(
        name="horizon",
        value=weeks,
        unit="weeks",
        score=float(min(100.0, max(0.0, score))),
        threshold=thresholds.horizon,
        basis="computed",
        reason=(code, {"weeks": weeks, "effect": ground.smallest_effect}),
    )


def _compliance(ground: Ground, word: Input | None, threshold: float) -> FilterScore:
    """A person's word where there is one, else the share of the reach that consented to marketing."""
    if word is not None:
        return FilterScore(
            name="compliance",
            value=word.value,
            unit="score",
            score=word.value,
            threshold=threshold,
            basis="guess",
            reason=("compliance-word", {"by": word.by, "at": word.at.isoformat() if word.at else ""}),
        )
    if math.isnan(ground.consent_share):
        return _unknown("compliance", "share with consent", threshold, "compliance-no-consents")
    return FilterScore(
        name="compliance",
        value=ground.consent_share,
        unit="share with consent",
        score=100 * ground.consent_share,
        threshold=threshold,
        basis="measured",
        reason=("compliance-consents", {"share": ground.consent_share}),
    )


def _unknown(name: str, unit: str, threshold: float, code: str, basis: Basis = "measured") -> FilterScore:
    return FilterScore(
        name=name,
        value=float("nan"),
        unit=unit,
        score=float("nan"),
        threshold=threshold,
        basis=basis,
        reason=(code, {}),
    )
