"""The verb `analyse`: effects and a decision from a table with one row per customer, on any engine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from primeta.errors import BadInput, BadTable, NotFound
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
from primeta.warehouse.duck import connect, quoted
from primeta.warehouse.files import read_table, sniff
from primeta.warehouse.metrics import METRICS
from primeta.warehouse.sums import Grouped, collected, glance, grouped_moments, quiet_ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

DOWN_IS_GOOD = frozenset(metric.name for metric in METRICS if metric.good == "down")
MOST_SEGMENTS = 50
NONE_BROKEN = np.zeros(1, dtype=bool)
PLACEBO_P = 0.001


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
    table, origin = _opened(rows)
    source = source or origin
    reader = _Reader(table, source)
    check_column(arm, reader.columns, "arm")
    parsed = metrics_of(metrics, reader.columns)
    plan = _Declared(parsed, rules, covariates or {}, reader.columns)
    for column, what in ((by, "segments"), (unit, "unit"), (strata, "strata")):
        if column:
            check_column(column, reader.columns, what)
    if unit:
        reader.check_units(unit, arm)
    grouped, notes = reader.sums(plan, arm=arm, by=by, strata=strata)
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


def _opened(rows: Any) -> tuple[ir.Table, str]:
    """An Ibis table of what was given, and how to call it in a message."""
    import ibis

    if isinstance(rows, ibis.expr.types.Table):
        return rows, "the table"
    connection = connect()
    backend = ibis.duckdb.from_connection(connection)
    if isinstance(rows, str | Path):
        form = sniff(rows)
        if form.kind == "parquet":
            view = f"CREATE TEMP VIEW given AS SELECT * FROM read_parquet({quoted(str(rows))})"
            connection.execute(view).fetchall()
        else:
            connection.register("given", read_table(rows))
        origin = str(rows)
    else:
        try:
            connection.register("given", rows if isinstance(rows, pa.Table) else pa.table(rows))
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
            raise BadTable(f"the table cannot be read: {error}") from None
        origin = "the table"
    with quiet_ibis():
        return backend.table("given"), origin


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
            skewness=_skewness(grouped, name, moments, arms) if metric.kind == "mean" else (),
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


MONEY = "money_"
"""The block of what the valued metrics bring together, in money per customer."""


class _Reader:
    """One table: its columns, checks on its values, and the sums."""

    def __init__(self, table: ir.Table, source: str):
        self.table = table
        self.source = source
        self.columns = tuple(table.columns)

    def check_units(self, unit: str, arm: str) -> None:
        """Nobody stands twice: a customer in two arms is an error, and so is one counted twice in one."""
        t: Any = self.table
        seen: Any = t.group_by(t[unit].cast("string").name("who")).aggregate(
            rows=t.count(), first=t[arm].cast("string").min(), last=t[arm].cast("string").max()
        )
        twice = seen.filter(seen.rows > 1)
        found = collected(twice.order_by("who").limit(1))
        if found.num_rows:
            who, first, last = (found[name][0].as_py() for name in ("who", "first", "last"))
            many = collected(twice.aggregate(n=twice.count()))["n"][0].as_py()
            if first != last:
                raise BadTable(
                    f"{self.source}: {who!r} is in two arms, {first} and {last}; each customer is in one arm "
                    f"({many} customers stand more than once)"
                )
            raise BadTable(
                f"{self.source}: {who!r} stands {found['rows'][0].as_py()} times; one row per customer was expected "
                f"({many} customers stand more than once). Sum their rows first."
            )

    def sums(self, plan: _Declared, *, arm: str, by: str, strata: str) -> tuple[Grouped, list[str]]:
        """Moments by arm (and segment), one block a metric, in one pass that checks the values as it goes."""
        t: Any = self.table
        notes: list[str] = []
        outcomes = list(dict.fromkeys(c for metric in plan.metrics.values() for c in metric.columns))
        befores = list(dict.fromkeys(c for parts in plan.covariates.values() for c in parts))
        for column in (*outcomes, *befores):
            kind = t[column].type()
            if not (kind.is_numeric() or kind.is_boolean()):
                raise BadTable(
                    f"{self.source}: column {column!r} is {_worded(kind)}; a number was expected. "
                    f"Clean it, or name another column."
                )
        exprs: dict[str, Any] = {"arm_": t[arm].cast("string")}
        for column in outcomes:
            exprs[f"y_{column}"] = _number(t[column])
        for name, cap in plan.rules.caps.items():
            exprs[f"c_{name}"] = _least(_number(t[plan.metrics[name].numerator]), cap)
        for column in befores:
            exprs[f"x_{column}"] = exprs[f"k_{column}"] = _number(t[column])
        groups = ["arm_"]
        if by:
            exprs["by_"] = t[by].cast("string").fill_null("")
            groups.append("by_")
        levels = self._strata(t.filter(_taking_part(exprs["arm_"])), strata)
        for place, value in enumerate(levels):
            exprs[f"s_{place}"] = (t[strata].cast("string").fill_null("") == value).ifelse(1.0, 0.0)
        blocks = self._blocks(plan, exprs, [f"s_{place}" for place in range(len(levels))])
        first = glance(t.select(**exprs), sorted({c for block in blocks.values() for c in block}))
        # how skewed customers are: it warns of heavy tails, and decides where arms are of unequal size
        third = sorted(
            {_top(plan, name) for name, metric in plan.metrics.items() if metric.kind == "mean"}
            | ({MONEY} & blocks.keys())
        )
        usual: dict[str, float] = {}
        unknown = [column for column in befores if f"x_{column}" in first.empty]
        while True:
            usual |= self._usual(t, arm, unknown)
            for column in unknown:
                exprs[f"x_{column}"] = exprs[f"k_{column}"].fill_null(usual[column])
            prepared = t.select(**exprs)
            found = grouped_moments(
                prepared,
                by=groups,
                blocks=blocks,
                third=third,
                shift=first.means,
                beside=self._asides(prepared, outcomes, befores, plan),
            )
            grouped = found.only(lambda key: bool(key[0]))
            self._check(grouped, outcomes, befores, plan)
            # the first rows may hold no empty value where later ones do
            unknown = [
                column
                for column in befores
                if column not in usual and grouped.beside[f"k_{column}"].sum() < grouped.n.sum()
            ]
            if not unknown:
                break
        left_out = int(found.n.sum() - grouped.n.sum())
        if left_out:
            notes.append(f"no-arm:{left_out}")
        for column in befores:
            empty = int(grouped.n.sum() - grouped.beside[f"k_{column}"].sum())
            if empty:
                notes.append(f"covariate-empty:{column}:{empty}")
        return grouped, notes

    def _blocks(self, plan: _Declared, exprs: dict[str, Any], dummies: Sequence[str]) -> dict[str, list[str]]:
        """The columns of each metric; the money's, where metrics have a value, is added to `exprs`."""
        blocks: dict[str, list[str]] = {}
        for name, metric in plan.metrics.items():
            bottom = [f"y_{metric.denominator}"] if metric.denominator else []
            blocks[name] = [
                _top(plan, name), *bottom, *(f"x_{c}" for c in plan.covariates[name]), *dummies
            ]  # fmt: skip
        if plan.rules.values:
            total = None
            extra: list[str] = []
            for name, worth in plan.rules.values.items():
                part = exprs[_top(plan, name)] * float(worth)
                total = part if total is None else total + part
                extra += [f"x_{c}" for c in plan.covariates[name] if f"x_{c}" not in extra]
            exprs[MONEY] = total
            blocks[MONEY] = [MONEY, *extra, *dummies]
        return blocks

    def _usual(self, t: ir.Table, arm: str, columns: Sequence[str]) -> dict[str, float]:
        """Means of covariates among those who have one, to stand for those who have none."""
        if not columns:
            return {}
        taking = t.filter(_taking_part(t[arm].cast("string")))
        wanted = {f"m{at}": _number(taking[column]).mean() for at, column in enumerate(columns)}
        (row,) = collected(taking.aggregate(**wanted)).to_pylist()
        return {column: float(row[f"m{at}"] or 0.0) for at, column in enumerate(columns)}

    def _asides(
        self, t: ir.Table, outcomes: Sequence[str], befores: Sequence[str], plan: _Declared
    ) -> dict[str, Any]:
        """What the checks need beside the sums."""
        asides: dict[str, Any] = {f"k_{column}": t[f"y_{column}"].count() for column in outcomes}
        asides |= {f"k_{column}": t[f"k_{column}"].count() for column in befores}
        for name, metric in plan.metrics.items():
            value: Any = t[f"y_{metric.numerator}"]
            if metric.kind == "share":
                asides[f"o_{name}"] = ((value == 0) | (value == 1)).ifelse(0, 1).sum()
            if name in plan.rules.caps:
                # a cap would hide an infinite value from the sums
                asides[f"a_{name}"] = value.abs().max()
        return asides

    def _check(
        self, grouped: Grouped, outcomes: Sequence[str], befores: Sequence[str], plan: _Declared
    ) -> None:
        rows = int(grouped.n.sum())
        if rows == 0:
            raise BadTable(f"{self.source}: no row has an arm; one row per customer was expected")
        for column in outcomes:
            empty = rows - int(grouped.beside[f"k_{column}"].sum())
            if empty:
                raise BadTable(
                    f"{self.source}: column {column!r} is empty in {empty} of {rows} rows. Unknown is not zero: write "
                    f"0 where nothing happened, or leave out customers whose outcome nobody knows."
                )
        broken = [column for column in outcomes if grouped.broken.get(f"y_{column}", NONE_BROKEN).any()]
        broken += [column for column in befores if grouped.broken.get(f"x_{column}", NONE_BROKEN).any()]
        broken += [
            plan.metrics[name].numerator
            for name in plan.rules.caps
            if not np.isfinite(grouped.beside[f"a_{name}"]).all()
        ]
        if broken:
            raise BadTable(
                f"{self.source}: column {broken[0]!r} holds values that are no finite numbers, or too large to be squared"
            )
        for name, metric in plan.metrics.items():
            odd = int(grouped.beside[f"o_{name}"].sum()) if metric.kind == "share" else 0
            if odd:
                raise BadTable(
                    f"{self.source}: column {metric.numerator!r} holds {odd} values that are neither 0 "
                    f"nor 1; a share needs yes or no per customer. Use {name}={metric.numerator} for a mean."
                )

    def _strata(self, t: ir.Table, strata: str) -> list[str]:
        """All values but the first: one dummy each."""
        if not strata:
            return []
        text: Any = t[strata].cast("string")
        text = text.fill_null("")
        values = collected(t.select(v=text).distinct())["v"].to_pylist()
        if len(values) > MOST_SEGMENTS:
            raise BadInput(
                f"--strata {strata}: {len(values)} values; at most {MOST_SEGMENTS} can be adjusted for"
            )
        return sorted(values)[1:]


def _top(plan: _Declared, name: str) -> str:
    """The column of a metric's numerator, capped where a cap was declared."""
    return f"c_{name}" if name in plan.rules.caps else f"y_{plan.metrics[name].numerator}"


def _taking_part(arm_text: Any) -> Any:
    return arm_text.notnull() & (arm_text != "")


def _number(column: Any) -> Any:
    if column.type().is_boolean():
        return column.ifelse(1.0, 0.0)
    return column.cast("float64")


def _least(column: Any, cap: float) -> Any:
    return (column > cap).ifelse(float(cap), column)


def _worded(kind: Any) -> str:
    if kind.is_string():
        return "text"
    if kind.is_temporal():
        return "a date or time"
    return str(kind)


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


def _skewness(grouped: Grouped, name: str, moments: Moments, arms: Sequence[str]) -> list[float]:
    """Of one customer, by arm, segments together."""
    third = grouped.third[grouped.names[name][0]]
    parts = grouped.blocks[name]
    found = []
    for place, arm in enumerate(arms):
        rows = np.array([at for at, key in enumerate(grouped.keys) if str(key[0]) == arm], dtype=int)
        n, spread = parts.n[rows], parts.scatter[rows, 0, 0]
        apart = parts.mean[rows, 0] - moments.mean[place, 0]
        cubes = float((n * third[rows] + 3 * apart * spread + n * apart**3).sum()) / max(n.sum(), 1.0)
        variance = moments.scatter[place, 0, 0] / max(moments.n[place], 1)
        found.append(cubes / variance**1.5 if variance > 0 else 0.0)
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
