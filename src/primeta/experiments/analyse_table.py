"""One row per customer on any engine, read once: values checked and summed in the same pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.experiments.spec import FileMetric
from primeta.warehouse.duck import connect, quoted
from primeta.warehouse.files import read_table, sniff
from primeta.warehouse.sums import Grouped, Triple, collected, glance, grouped_moments, quiet_ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_STRATA = 50
NONE_BROKEN = np.zeros(1, dtype=bool)
MONEY = "money_"
"""The block of what the valued metrics bring together, in money per customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is to be summed, by metric."""

    metrics: Mapping[str, FileMetric]
    covariates: Mapping[str, Sequence[str]]
    """Columns known before assignment."""
    caps: Mapping[str, float]
    values: Mapping[str, float]
    """Money for one unit; they make the block `MONEY`."""


def opened(rows: Any) -> tuple[ir.Table, str]:
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


class TableReader:
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

    def sums(self, plan: Sought, *, arm: str, by: str, strata: str) -> tuple[Grouped, list[str]]:
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
        for name, cap in plan.caps.items():
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
        third = sorted({triple for name in blocks for triple in _triples(plan, name, blocks[name])})
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

    def _blocks(self, plan: Sought, exprs: dict[str, Any], dummies: Sequence[str]) -> dict[str, list[str]]:
        """The columns of each metric; the money's, where metrics have a value, is added to `exprs`."""
        blocks: dict[str, list[str]] = {}
        for name, metric in plan.metrics.items():
            bottom = [f"y_{metric.denominator}"] if metric.denominator else []
            blocks[name] = [
                _top(plan, name), *bottom, *(f"x_{c}" for c in plan.covariates[name]), *dummies
            ]  # fmt: skip
        if plan.values:
            total = None
            extra: list[str] = []
            for name, worth in plan.values.items():
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
        self, t: ir.Table, outcomes: Sequence[str], befores: Sequence[str], plan: Sought
    ) -> dict[str, Any]:
        """What the checks need beside the sums."""
        asides: dict[str, Any] = {f"k_{column}": t[f"y_{column}"].count() for column in outcomes}
        asides |= {f"k_{column}": t[f"k_{column}"].count() for column in befores}
        for name, metric in plan.metrics.items():
            value: Any = t[f"y_{metric.numerator}"]
            if metric.kind == "share":
                asides[f"o_{name}"] = ((value == 0) | (value == 1)).ifelse(0, 1).sum()
            if name in plan.caps:
                # a cap would hide an infinite value from the sums
                asides[f"a_{name}"] = value.abs().max()
        return asides

    def _check(self, grouped: Grouped, outcomes: Sequence[str], befores: Sequence[str], plan: Sought) -> None:
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
            for name in plan.caps
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
        if len(values) > MOST_STRATA:
            raise BadInput(
                f"--strata {strata}: {len(values)} values; at most {MOST_STRATA} can be adjusted for"
            )
        return sorted(values)[1:]


def _top(plan: Sought, name: str) -> str:
    """The column of a metric's numerator, capped where a cap was declared."""
    return f"c_{name}" if name in plan.caps else f"y_{plan.metrics[name].numerator}"


def _triples(plan: Sought, name: str, columns: Sequence[str]) -> list[Triple]:
    """Third moments that tell how skewed one customer is; a share tells it by itself."""
    metric = plan.metrics.get(name)
    if metric is not None and metric.kind == "share":
        return []
    own = columns[: 2 if metric is not None and metric.denominator else 1]
    return [(a, b, c) for a, b, c in combinations_with_replacement(own, 3)]


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
