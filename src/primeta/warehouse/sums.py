"""One pass over an engine: counts, means and products of customers' columns, by group, on any engine of Ibis."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from primeta.stats.moments import Moments
from primeta.warehouse.duck import plain_errors

if TYPE_CHECKING:
    import ibis.expr.types as ir

Triple = tuple[str, str, str]
SAMPLE = 20_000
"""Rows that place the shift of each column; any number near the mean serves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """Moments by group: `keys` (G rows, a column for each of `by`), `blocks` name → (G,) moments."""

    keys: list[tuple[Any, ...]]
    n: np.ndarray
    blocks: dict[str, Moments]
    third: dict[Triple, np.ndarray]
    """Three columns → (G,) mean product of their distances from their means, for those asked for."""
    names: dict[str, tuple[str, ...]]
    """Block → its columns."""
    beside: dict[str, np.ndarray]
    """(G,) what else was asked for in the same pass; NaN where the engine had no answer."""
    broken: dict[str, np.ndarray]
    """Column → (G,) whether its sums are no finite numbers: a value is infinite, "not a number" or too large."""

    def only(self, keep: Callable[[tuple[Any, ...]], bool]) -> Grouped:
        """The groups whose key is wanted."""
        at = np.array([place for place, key in enumerate(self.keys) if keep(key)], dtype=int)
        return Grouped(
            keys=[self.keys[place] for place in at],
            n=self.n[at],
            blocks={name: block[at] for name, block in self.blocks.items()},
            third={name: values[at] for name, values in self.third.items()},
            names=self.names,
            beside={name: values[at] for name, values in self.beside.items()},
            broken={name: values[at] for name, values in self.broken.items()},
        )


@contextmanager
def quiet_ibis() -> Iterator[None]:
    """Ibis 12 still calls a method that DuckDB 2 has renamed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning, module="ibis")
        yield


def collected(expression: ir.Table) -> pa.Table:
    """The rows of an expression, read by its own engine."""
    with quiet_ibis(), plain_errors("counting in the engine"):
        return expression.to_pyarrow()


def grouped_moments(
    table: ir.Table,
    *,
    by: Sequence[str],
    blocks: Mapping[str, Sequence[str]],
    third: Sequence[Triple] = (),
    shift: Mapping[str, float] | None = None,
    beside: Mapping[str, Any] | None = None,
) -> Grouped:
    """Count, mean and centred products of each block's columns in each group, in one pass.

    Args:
        table: One row a customer; the columns of the blocks are numbers, none of them null.
        by: Columns that make the groups.
        blocks: Name → columns whose products with each other are needed; columns may be in several blocks.
        third: Three columns of one block whose third central moment is wanted too; one may stand thrice.
        shift: A number near the mean of each column; left out, the first rows are looked at.
        beside: Name → a further aggregate over `table`, a number, read in the same pass.
    """
    columns = sorted({name for block in blocks.values() for name in block})
    pairs = sorted(
        {_pair(*pair) for block in blocks.values() for pair in combinations_with_replacement(block, 2)}
    )
    number: dict[str, Any] = {name: table[name].cast("float64") for name in columns}
    shift = glance(table, columns).means if shift is None else shift
    # Sums of (v − shift) lose no digits where values are large and their spread is small.
    moved: dict[str, Any] = {
        name: number[name] - shift[name] if shift[name] else number[name] for name in columns
    }
    place = {name: at for at, name in enumerate(columns)}
    wanted: dict[str, Any] = {"n_": table.count()}
    wanted |= {f"s{place[name]}": moved[name].sum() for name in columns}
    wanted |= {f"p{place[one]}_{place[two]}": (moved[one] * moved[two]).sum() for one, two in pairs}
    wanted |= {f"t{at}": (moved[a] * moved[b] * moved[c]).sum() for at, (a, b, c) in enumerate(third)}
    wanted |= {f"b{at}": expression for at, expression in enumerate((beside or {}).values())}
    rows = collected(table.group_by(list(by)).aggregate(**wanted) if by else table.aggregate(**wanted))
    if by:
        rows = rows.sort_by([(name, "ascending") for name in by])

    def column(name: str) -> np.ndarray:
        return rows[name].to_numpy(zero_copy_only=False).astype(np.float64)

    def odd(name: str) -> np.ndarray:
        # null is the sum of nothing, which is no fault of a number
        return ~np.isfinite(column(name)) & ~rows[name].is_null().to_numpy(zero_copy_only=False)

    n = column("n_")
    broken = {name: odd(f"s{place[name]}") for name in columns}
    for one, two in pairs:
        if one == two:
            broken[one] |= odd(f"p{place[one]}_{place[one]}")
    sums = {name: np.nan_to_num(column(f"s{place[name]}")) for name in columns}
    products = {pair: np.nan_to_num(column(f"p{place[pair[0]]}_{place[pair[1]]}")) for pair in pairs}
    # what is broken is told apart by `broken`; it comes out as no number, without a complaint from numpy
    with np.errstate(over="ignore", invalid="ignore"):
        found = _moments(n, sums, products, blocks, shift)
        skew = _third(n, sums, products, {triple: column(f"t{at}") for at, triple in enumerate(third)})
    keys = list(zip(*(rows[name].to_pylist() for name in by))) if by else [()]
    return Grouped(
        keys=keys,
        n=n,
        blocks=found,
        third=skew,
        names={block: tuple(names) for block, names in blocks.items()},
        beside={name: column(f"b{at}") for at, name in enumerate(beside or {})},
        broken=broken,
    )


def _moments(
    n: np.ndarray,
    sums: Mapping[str, np.ndarray],
    products: Mapping[tuple[str, str], np.ndarray],
    blocks: Mapping[str, Sequence[str]],
    shift: Mapping[str, float],
) -> dict[str, Moments]:
    found = {}
    for block, names in blocks.items():
        total = np.stack([sums[name] for name in names], axis=-1)
        cross = np.empty((len(n), len(names), len(names)))
        for i, one in enumerate(names):
            for j, two in enumerate(names):
                cross[:, i, j] = products[_pair(one, two)]
        found[block] = Moments.of_sums(n, total, cross, shift=[shift[name] for name in names])
    return found


def _third(
    n: np.ndarray,
    sums: Mapping[str, np.ndarray],
    products: Mapping[tuple[str, str], np.ndarray],
    raw: Mapping[Triple, np.ndarray],
) -> dict[Triple, np.ndarray]:
    """Central ones, from sums of products about the shift."""
    found, safe = {}, np.maximum(n, 1)
    for triple, total in raw.items():
        mean = [sums[name] / safe for name in triple]
        found[triple] = total / safe + 2 * mean[0] * mean[1] * mean[2]
        for alone, one, two in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
            found[triple] -= mean[alone] * products[_pair(triple[one], triple[two])] / safe
    return found


def _pair(one: str, two: str) -> tuple[str, str]:
    return (one, two) if one <= two else (two, one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What the first rows of a table show."""

    means: dict[str, float]
    empty: frozenset[str]
    """Columns that have no value in some of them."""


def glance(table: ir.Table, columns: Sequence[str]) -> Glance:
    """A number near the mean of each column, and where values are missing, from the first rows."""
    if not columns:
        return Glance(means={}, empty=frozenset())
    first: Any = table.limit(SAMPLE)
    wanted: dict[str, Any] = {"n_": first.count()}
    for at, name in enumerate(columns):
        wanted[f"m{at}"] = first[name].cast("float64").mean()
        wanted[f"k{at}"] = first[name].count()
    (row,) = collected(first.aggregate(**wanted)).to_pylist()
    means = {}
    for at, name in enumerate(columns):
        value = row[f"m{at}"]
        means[name] = float(value) if value is not None and np.isfinite(value) else 0.0
    empty = frozenset(name for at, name in enumerate(columns) if row[f"k{at}"] < row["n_"])
    return Glance(means=means, empty=empty)
