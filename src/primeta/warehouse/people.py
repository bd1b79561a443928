"""The customers behind the series: their order, their half, and the slices that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from primeta.config import Config, config_error
from primeta.warehouse.duck import arrow, named, quoted
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.series import Slice

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

MOST_CELLS = 20_000
_MOST_KEYS = 4_000_000
_HALF = ""
"""Stands beside the attributes, none of which is nameless."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A slice that is not watched, of one metric or (empty) of all, and why."""

    slice: str
    reason: dict[str, str]
    """In `en` and `ru`."""
    metric: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """A partition of the customers so fine that some of the slices are unions of its cells.

    `cell` (n,): each customer's cell. `slices` (2S, cells) sparse 0/1: row 2i is slice i's first
    half of the customers, row 2i + 1 its second.
    """

    cell: Ints
    count: int
    members: tuple[int, ...]
    """Which slices (positions in `People.slices`) the rows stand for."""
    slices: sparse.csr_matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Customers in the order of their ids; `rank` turns the integer of the facts into that order."""

    n: int
    rank: Ints
    slices: tuple[Slice, ...]
    cells: tuple[Cells, ...]
    left_out: tuple[LeftOut, ...]


def load_people(connection: duckdb.DuckDBPyConnection, config: Config, facts: Facts) -> People:
    """Customers and slices.

    Raises:
        BadConfig: `[slices]` names an attribute that the customers do not have; names its line.
    """
    paths = [(name,) for name in config.slices.by]
    paths += [path[:depth] for path in config.slices.cross for depth in range(1, len(path) + 1)]
    paths = list(dict.fromkeys(paths))
    wanted = list(dict.fromkeys(name for path in paths for name in path))
    for name in wanted:
        if name not in facts.attributes:
            raise config_error(
                config,
                "slices",
                "by" if name in config.slices.by else "cross",
                f"the customers have no attribute {name!r}; they have {', '.join(facts.attributes) or 'none'}",
            )
    listed = "".join(f", CAST({named(name)} AS VARCHAR) AS {named(name)}" for name in wanted)
    # Sorted by id: sums over customers then run in one order whatever was read when.
    rows = arrow(
        connection,
        f"SELECT customer, first_half{listed} FROM read_parquet({quoted(str(facts.customers_path))}) ORDER BY customer_id",
    )
    customer = rows["customer"].to_numpy()
    n = len(customer)
    rank = np.empty(n, dtype=np.int32)
    rank[customer] = np.arange(n, dtype=np.int32)
    values: dict[str, list[str]] = {}
    codes: dict[str, Ints] = {_HALF: (~rows["first_half"].to_numpy()).astype(np.int32)}
    for name in wanted:
        values[name], codes[name] = _coded(rows[name])
    left_out: list[LeftOut] = []
    slices: list[Slice] = [Slice()]
    of_path: dict[tuple[str, ...], list[tuple[int, ...]]] = {(): [()]}
    for path in sorted(paths, key=len):
        combos = _combos(path, codes, values, config.slices.most_values, left_out)
        of_path[path] = combos
        slices += [
            Slice(tuple((name, values[name][code]) for name, code in zip(path, combo))) for combo in combos
        ]
    cells = _cells(of_path, codes, slices, values)
    return People(n=n, rank=rank, slices=tuple(slices), cells=cells, left_out=tuple(left_out))


def _coded(column: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """Values in order, and each customer's place among them; −1 is unknown."""
    encoded = column.combine_chunks().dictionary_encode()
    found = encoded.dictionary.to_pylist()
    order = sorted(range(len(found)), key=lambda at: found[at])
    place = np.empty(len(found) + 1, dtype=np.int32)
    place[order] = np.arange(len(found), dtype=np.int32)
    place[-1] = -1
    return [found[at] for at in order], place[encoded.indices.fill_null(len(found)).to_numpy()]


def _combos(
    path: tuple[str, ...],
    codes: dict[str, Ints],
    values: dict[str, list[str]],
    most: int,
    left_out: list[LeftOut],
) -> list[tuple[int, ...]]:
    """The combinations of a path's values that there are, the largest where they are too many."""
    rows, inverse = _distinct(path, codes)
    sizes = np.bincount(inverse, minlength=len(rows))
    known = (rows >= 0).all(axis=1)
    if not known.all():
        count = int(sizes[~known].sum())
        reason = {"en": f"customers without a value: {count:,}", "ru": f"клиентов без значения: {count:,}"}
        left_out.append(LeftOut(f"{'&'.join(path)}=?", reason))
    rows, sizes = rows[known], sizes[known]
    limit = most ** len(path)
    kept = np.sort(np.argsort(-sizes, kind="stable")[:limit])
    for at in np.setdiff1d(np.arange(len(sizes)), kept):
        pairs = tuple((name, values[name][code]) for name, code in zip(path, rows[at]))
        reason = {
            "en": f"beyond the {limit} largest values (most_values)",
            "ru": f"за пределами {limit} самых частых значений (most_values)",
        }
        left_out.append(LeftOut(Slice(pairs).code, reason))
    return [tuple(int(code) for code in rows[at]) for at in kept]


def _cells(
    of_path: dict[tuple[str, ...], list[tuple[int, ...]]],
    codes: dict[str, Ints],
    slices: list[Slice],
    values: dict[str, list[str]],
) -> tuple[Cells, ...]:
    """Put as many attributes together as leave at most `MOST_CELLS` combinations."""
    groups: list[list[tuple[str, ...]]] = []
    for path in of_path:
        for group in groups:
            names = sorted({name for member in (*group, path) for name in member})
            if len(_distinct([*names, _HALF], codes)[0]) <= MOST_CELLS:
                group.append(path)
                break
        else:
            groups.append([path])
    place = {entry: at for at, entry in enumerate(slices)}
    return tuple(_cells_of(group, of_path, codes, place, values) for group in groups)


def _distinct(names: Sequence[str], codes: dict[str, Ints]) -> tuple[Ints, Ints]:
    """Distinct combinations in lexical order, (cells, attributes), and each customer's place among them."""
    key, count = np.zeros(len(next(iter(codes.values()))), dtype=np.int64), 1
    for name in names:
        width = int(codes[name].max(initial=-1)) + 2
        key, count = _squeezed(key * width + codes[name] + 1, count * width)
    first = np.zeros(count, dtype=np.int64)
    first[key] = np.arange(len(key))
    rows = np.stack([codes[name][first] for name in names], axis=1) if names else np.zeros((count, 0))
    return rows.astype(np.int32), key.astype(np.int32)


def _squeezed(key: npt.NDArray[np.int64], width: int) -> tuple[npt.NDArray[np.int64], int]:
    """Numbers 0 … count − 1 in the order of the keys that occur."""
    if width > _MOST_KEYS:
        found, inverse = np.unique(key, return_inverse=True)
        return inverse.astype(np.int64), len(found)
    found = np.flatnonzero(np.bincount(key, minlength=width))
    place = np.zeros(width, dtype=np.int64)
    place[found] = np.arange(len(found))
    return place[key], len(found)


def _cells_of(
    group: list[tuple[str, ...]],
    of_path: dict[tuple[str, ...], list[tuple[int, ...]]],
    codes: dict[str, Ints],
    place: dict[Slice, int],
    values: dict[str, list[str]],
) -> Cells:
    names = sorted({name for path in group for name in path})
    rows, inverse = _distinct([*names, _HALF], codes)
    at = {name: position for position, name in enumerate(names)}
    members: list[int] = []
    row_of: list[npt.NDArray[np.int64]] = []
    column_of: list[npt.NDArray[np.int64]] = []
    for path in group:
        for combo in of_path[path]:
            inside = np.ones(len(rows), dtype=bool)
            for name, code in zip(path, combo):
                inside &= rows[:, at[name]] == code
            for side in (0, 1):
                found = np.flatnonzero(inside & (rows[:, -1] == side))
                row_of.append(np.full(len(found), 2 * len(members) + side))
                column_of.append(found)
            members.append(place[Slice(tuple((name, values[name][code]) for name, code in zip(path, combo)))])
    row, column = np.concatenate(row_of), np.concatenate(column_of)
    matrix = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(2 * len(members), len(rows)))
    return Cells(cell=inverse, count=len(rows), members=tuple(members), slices=matrix)
