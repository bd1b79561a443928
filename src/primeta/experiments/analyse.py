"""The verb `analyse`: effects and a decision from a table with one row per customer, on any engine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

import numpy as np

from primeta.errors import BadInput, NotFound
from primeta.experiments.analyse_table import MONEY, Sought, TableReader, opened
from primeta.experiments.analysis import Analysis
from primeta.experiments.decide import NO_VALUE, decide
from primeta.experiments.evaluate import (
    DEFAULT_TUNED,
    Looking,
    Measured,
    adjusted_p,
    differ_between,
    effects_of,
    money_of,
    sample_ratio,
)
from primeta.experiments.records import Amount, Effect, Role
from primeta.experiments.spec import FileMetric, check_column, metrics_of
from primeta.stats.effects import influence
from primeta.stats.moments import Moments, stacked
from primeta.stats.spending import bounds
from primeta.warehouse.metrics import METRICS
from primeta.warehouse.sums import Grouped

DOWN_IS_GOOD = frozenset(metric.name for metric in METRICS if metric.good == "down")
MOST_SEGMENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that turns effects into a decision, declared beforehand."""

    primary: str = ""
    """Empty: the first metric."""
    smallest: Mapping[str, Amount] = field(default_factory=dict)
    guardrails: Mapping[str, Amount] = field(default_factory=dict)
    """Below 0: may not fall by more; above 0: may not rise by more."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Money for one unit of a metric's difference."""
    costs: Mapping[str, float] = field(default_factory=dict)
    """Money per customer assigned, by arm."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Planned; empty: equal."""
    caps: Mapping[str, float] = field(default_factory=dict)
    """A customer's numerator counts up to this."""
    level: float = 0.95
    planned_n: int = 0
    """Customers of all arms together."""
    looks: int = 1
    """Of a group-sequential design over `planned_n`; 1: valid at every look."""
    final: bool = False
    """Decide on the interval for one look at a planned end."""


def analyse(
    rows: Any,
    *,
    arm: str,
    control: str,
    metrics: Mapping[str, str] | Sequence[str],
    covariates: Mapping[str, str] | None = None,
    rules: Rules | None = None,
    by: str = "",
    unit: str = "",
    strata: str = "",
    bayesian: bool = False,
    source: str = "",
) -> Analysis:
    """Effects of every arm against control and what to do, from one row per customer.

    Args:
        rows: A path to CSV or Parquet, an Arrow table, a data frame, a mapping of columns, or an Ibis table on any
            engine: only sums leave it.
        arm, control: The column with the arm and the control's name; rows without an arm took no part.
        metrics: Name → `COL` (mean), `COL:share` or `NUM/DEN` (ratio of sums). The first is primary.
        covariates: Name → a column known before assignment. A metric's name gives it to that metric, `NUM/DEN` for
            both columns of a ratio; any other name gives it to every metric. An empty value stands at the usual one.
        by: A column known before assignment, to show the effects apart.
        unit: Column of the customer's id: checks that nobody stands twice.
        strata: A column within which the arms were balanced, or that explains much; it is adjusted for.
    Raises:
        BadTable: a column is missing, not a number, or empty somewhere. BadInput, NotFound: an option that cannot be.
    """
    rules = rules or Rules()
    table, origin = opened(rows)
    source = source or origin
    reader = TableReader(table, source)
    check_column(arm, reader.columns, "arm")
    parsed = metrics_of(metrics, reader.columns)
    plan = _Declared(parsed, rules, covariates or {}, reader.columns)
    for column, what in ((by, "segments"), (unit, "unit"), (strata, "strata")):
        if column:
            check_column(column, reader.columns, what)
    if unit:
        reader.check_units(unit, arm)
    grouped, notes = reader.sums(plan.sought, arm=arm, by=by, strata=strata)
    arms = _arms(grouped, control, rules)
    counts = {name: int(sum(n for key, n in zip(grouped.keys, grouped.n) if key[0] == name)) for name in arms}
    ratio = sample_ratio(counts, _planned(arms, rules))
    n_all = sum(counts.values())
    looking, ended = _looking(rules, n_all, arms=len(arms))

    def measured(chosen: Grouped) -> list[Measured]:
        return [plan.measured(name, chosen, arms) for name in plan.roles]

    whole = measured(grouped)
    effects = effects_of(
        whole, arms=arms, control=control, level=rules.level, looking=looking, bayesian=bayesian
    )
    money_metric = plan.money(grouped, arms)
    money = money_of(
        money_metric, arms=arms, control=control, costs=dict(rules.costs), level=rules.level, looking=looking
    )
    decisions, verdict = decide(
        effects,
        ratio=ratio,
        money=money,
        basis="measured" if money else NO_VALUE,
        ended=ended,
    )
    segments, differ = _segments(grouped, plan, measured, by, arms, control, rules, looking)
    placebo = plan.placebo(grouped, arms, control, rules, looking)
    return Analysis(
        control=control,
        arms=tuple(arms),
        ratio=ratio,
        shares_given=bool(rules.shares),
        effects=effects,
        decisions=decisions,
        verdict=verdict,
        segments=segments,
        by=by,
        segments_differ=differ,
        placebo=placebo,
        level=rules.level,
        how=looking.how,
        ended=ended,
        planned_n=rules.planned_n,
        costs=dict(rules.costs),
        notes=tuple(notes),
        source=source,
    )


class _Declared:
    """The metrics with their roles, thresholds and covariates, checked against each other."""

    def __init__(
        self,
        metrics: Sequence[FileMetric],
        rules: Rules,
        covariates: Mapping[str, str],
        columns: Sequence[str],
    ):
        self.metrics = {metric.name: metric for metric in metrics}
        self.rules = rules
        primary = rules.primary or metrics[0].name
        for what, names in (
            ("the primary metric", [primary]),
            ("a smallest effect", rules.smallest),
            ("a guardrail", rules.guardrails),
            ("a value", rules.values),
            ("a cap", rules.caps),
        ):
            for name in names:
                if name not in self.metrics:
                    raise NotFound(f"{what} names {name!r}; the metrics are {', '.join(self.metrics)}")
        if primary in rules.guardrails:
            raise BadInput(f"{primary} is the primary metric and a guardrail; a guardrail is another metric")
        self.roles: dict[str, Role] = {
            name: "primary" if name == primary else "guardrail" if name in rules.guardrails else "secondary"
            for name in self.metrics
        }
        _check_numbers(rules)
        for name in rules.values:
            if self.metrics[name].kind == "ratio":
                raise BadInput(
                    f"--value {name}: a ratio of sums has no value per customer; give the value of its numerator, "
                    f"as a metric of its own"
                )
        self.covariates = self._covariates(covariates, columns)
        self.primary = primary

    def _covariates(self, given: Mapping[str, str], columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {name: [] for name in self.metrics}
        for name, text in given.items():
            if text in columns:
                parts = [text]
            else:
                parts = [part.strip() for part in text.removesuffix(":share").split("/")]
            for part in parts:
                check_column(part, columns, f"covariate {name}")
            for metric in [name] if name in self.metrics else self.metrics:
                found[metric] += [part for part in parts if part not in found[metric]]
        for name, metric in self.metrics.items():
            inside = set(found[name]) & set(metric.columns)
            if inside:
                raise BadInput(
                    f"covariate {name}: {', '.join(sorted(inside))} is the metric itself; a covariate is known before "
                    f"assignment, such as last month's revenue"
                )
        return {name: tuple(parts) for name, parts in found.items()}

    @property
    def sought(self) -> Sought:
        return Sought(
            metrics=self.metrics,
            covariates=self.covariates,
            caps=self.rules.caps,
            values=self.rules.values,
        )

    def smallest(self, name: str) -> Amount | None:
        return self.rules.guardrails.get(name) or self.rules.smallest.get(name)

    def good(self, name: str) -> Literal["up", "down"]:
        amount = self.rules.smallest.get(name)
        if amount is not None:
            return "down" if amount.value < 0 else "up"
        margin = self.rules.guardrails.get(name)
        if margin is not None:
            return "up" if margin.value < 0 else "down"
        return "down" if name in DOWN_IS_GOOD else "up"

    def measured(self, name: str, grouped: Grouped, arms: Sequence[str]) -> Measured:
        metric = self.metrics[name]
        moments = _by_arm(grouped, name, arms)
        covariates = range(len(metric.columns), moments.columns)
        shares = metric.kind == "share"
        return Measured(
            name=name,
            kind=metric.kind,
            influence=influence(
                moments,
                numerator=0,
                denominator=1 if metric.denominator else None,
                covariates=list(covariates),
            ),
            role=self.roles[name],
            good=self.good(name),
            smallest=self.smallest(name),
            covariates=len(covariates),
            events=(moments.mean[:, 0] * moments.n).round().tolist() if shares else (),
            skewness=_skewness(grouped, name, moments, arms, ratio=bool(metric.denominator))
            if not shares
            else (),
        )

    def money(self, grouped: Grouped, arms: Sequence[str]) -> Measured | None:
        if MONEY not in grouped.blocks:
            return None
        moments = _by_arm(grouped, MONEY, arms)
        return Measured(
            name=MONEY,
            kind="mean",
            influence=influence(moments, covariates=list(range(1, moments.columns))),
            role="primary",
            covariates=moments.columns - 1,
            skewness=_skewness(grouped, MONEY, moments, arms),
        )

    def placebo(
        self, grouped: Grouped, arms: Sequence[str], control: str, rules: Rules, looking: Looking
    ) -> tuple[Effect, ...]:
        """The "effect" on what was known before assignment: it can only be chance, or a broken lottery."""
        columns = self.covariates[self.primary]
        if not columns:
            return ()
        moments = _by_arm(grouped, self.primary, arms)
        first = len(self.metrics[self.primary].columns)
        before = [
            Measured(name=column, kind="mean", influence=influence(moments, numerator=first + place))
            for place, column in enumerate(columns)
            if first + place < moments.columns
        ]
        return effects_of(before, arms=arms, control=control, level=rules.level, looking=looking)


def _check_numbers(rules: Rules) -> None:
    if not 0.5 <= rules.level < 1:
        raise BadInput(f"the level is a share from .5 to below 1, such as .95; {rules.level:g} was given")
    if rules.planned_n < 0:
        raise BadInput(f"planned-n is a number of customers, {rules.planned_n} was given")
    if rules.looks < 1 or (rules.looks > 1 and not rules.planned_n):
        raise BadInput("looks: a number of planned looks, at least 1, together with --planned-n")
    for what, amounts in (("effect", rules.smallest), ("guardrail", rules.guardrails)):
        for name, amount in amounts.items():
            if amount.value == 0 and what == "effect":
                raise BadInput(f"--effect {name}: an effect of 0 always matters; name the smallest that does")
    for name, cost in rules.costs.items():
        if not math.isfinite(cost):
            raise BadInput(f"--cost {name}: money per customer assigned was expected")
    for name, cap in rules.caps.items():
        if not cap > 0:
            raise BadInput(f"--cap {name}: a number above 0 was expected, {cap:g} was given")


def _arms(grouped: Grouped, control: str, rules: Rules) -> list[str]:
    """The arms of the table, control first, held against those that were planned."""
    seen = sorted({str(key[0]) for key in grouped.keys})
    if control not in seen:
        raise NotFound(f"there is no arm {control!r} to be the control; the table has {', '.join(seen[:20])}")
    if len(seen) < 2:
        raise BadInput(f"only the arm {control!r} is there; an effect needs an arm to compare with it")
    if len(seen) > 100:
        raise BadInput(f"the arm column holds {len(seen)} different values; is it the right column?")
    for what, given in (("--shares", rules.shares), ("--cost", rules.costs)):
        for name in given:
            if name not in seen:
                raise NotFound(f"{what} names an arm {name!r}; the table has {', '.join(seen)}")
    if rules.shares:
        missing = [name for name in seen if name not in rules.shares]
        if missing:
            raise BadInput(f"--shares: the planned share of {', '.join(missing)} is missing")
        total = sum(rules.shares.values())
        if abs(total - 1) > 1e-6 or min(rules.shares.values()) <= 0:
            raise BadInput(f"--shares: shares above 0 that sum to 1 were expected, they sum to {total:g}")
    counts = {name: sum(n for key, n in zip(grouped.keys, grouped.n) if str(key[0]) == name) for name in seen}
    for name, n in counts.items():
        if n < 2:
            raise BadInput(
                f"the arm {name!r} has {int(n)} customer; at least two are needed, and hundreds to decide"
            )
    return [control, *(name for name in seen if name != control)]


def _planned(arms: Sequence[str], rules: Rules) -> dict[str, float]:
    return {name: rules.shares[name] if rules.shares else 1 / len(arms) for name in arms}


def _looking(rules: Rules, n_all: int, *, arms: int) -> tuple[Looking, bool]:
    ended = rules.final or bool(rules.planned_n and n_all >= rules.planned_n)
    tuned = rules.planned_n or DEFAULT_TUNED
    if rules.final:
        return Looking(how="fixed", tuned=tuned), ended
    if rules.looks > 1:
        reached = min(n_all / rules.planned_n, 1.0)
        look = max(1, math.floor(reached * rules.looks + 1e-9))
        fractions = [(place + 1) / rules.looks for place in range(look - 1)] + [reached]
        # A look before the first planned one spends what is due at its own share of the information.
        alpha = (1 - rules.level) / (arms - 1)
        bound = float(bounds(sorted(set(fractions)), alpha=alpha)[-1])
        return Looking(how="planned", tuned=tuned, bound=bound), ended
    return Looking(how="always", tuned=tuned), ended


def _by_arm(grouped: Grouped, block: str, arms: Sequence[str]) -> Moments:
    """(G,) moments of a block by arm, segments merged."""
    moments = grouped.blocks[block]
    parts = []
    for name in arms:
        places = [place for place, key in enumerate(grouped.keys) if str(key[0]) == name]
        parts.append(moments[np.array(places, dtype=int)].merged(0))
    return stacked(parts)


def _skewness(
    grouped: Grouped, name: str, moments: Moments, arms: Sequence[str], *, ratio: bool = False
) -> list[float]:
    """Of one customer, by arm, segments together; of a ratio R, of x − R·y."""
    parts, names = grouped.blocks[name], grouped.names[name]
    found = []
    for place, arm in enumerate(arms):
        rows = np.array([at for at, key in enumerate(grouped.keys) if str(key[0]) == arm], dtype=int)
        weights = [1.0]
        if ratio:
            bottom = float(moments.mean[place, 1])
            weights.append(-float(moments.mean[place, 0]) / bottom if bottom else math.nan)
        k = len(weights)
        n, apart = parts.n[rows], parts.mean[rows, :k] - moments.mean[place, :k]
        spread, off = parts.scatter[rows, :k, :k], apart @ np.array(weights)
        cubes = n * off**3 + 3 * off * np.einsum("gij,i,j->g", spread, weights, weights)
        for triple in product(range(k), repeat=3):
            a, b, c = sorted(triple)
            third = grouped.third[names[a], names[b], names[c]][rows]
            cubes += n * third * weights[a] * weights[b] * weights[c]
        size = max(n.sum(), 1.0)
        variance = float(np.einsum("ij,i,j->", moments.scatter[place, :k, :k], weights, weights)) / size
        found.append(float(cubes.sum()) / size / variance**1.5 if variance > 0 else 0.0)
    return found


def _segments(
    grouped: Grouped, plan: _Declared, measured, by: str, arms, control: str, rules: Rules, looking: Looking
) -> tuple[tuple[Effect, ...], dict[tuple[str, str], float]]:
    """Every metric in every segment, adjusted together; and whether segments differ at all."""
    if not by:
        return (), {}
    values = sorted({str(key[1]) for key in grouped.keys})
    if len(values) > MOST_SEGMENTS:
        raise BadInput(f"--by {by}: {len(values)} segments; at most {MOST_SEGMENTS} can be shown")
    found: list[Effect] = []
    for value in values:
        part = grouped.only(lambda key, value=value: str(key[1]) == value)
        if {str(key[0]) for key in part.keys} != set(arms):
            continue
        found += effects_of(
            measured(part), arms=arms, control=control, level=rules.level, looking=looking, segment=value
        )
    rows = adjusted_p(found)
    differ = {
        (name, arm): differ_between([row for row in rows if row.metric == name and row.arm == arm])
        for name in plan.roles
        for arm in arms
        if arm != control
    }
    return rows, differ
