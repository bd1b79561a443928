"""Rows for `detect`: columns checked, series put together, each in the order of time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from primeta.errors import BadInput, BadTable
from primeta.warehouse.files import read_table

Floats = npt.NDArray[np.float64]
Label = date | datetime | int | float | str
DAY_FORMATS = ("%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d")


@dataclass(frozen=True, slots=True)
class Text:
    """One remark in both languages."""

    en: str
    ru: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Series one after another: `values`, `se` (N,), `parts` (m,) slices of them in the order of time."""

    names: tuple[str, ...]
    """Of the series; a lone one is named after its column."""
    parts: tuple[slice, ...]
    values: Floats
    se: Floats | None
    times: pa.Array | None
    notes: tuple[Text, ...]


def rows_of(
    rows: Any,
    *,
    value: str,
    time: str | None,
    series: str | None,
    se: str | Sequence[float] | Floats | None,
) -> Rows:
    """The series of a path, a table or a row of numbers; see `detect`."""
    if isinstance(rows, str | Path):
        return _from_table(read_table(rows), str(rows), value=value, time=time, series=series, se=se)
    if isinstance(rows, (Mapping, pa.Table)) or _is_frame(rows):
        try:
            table = pa.table(rows)
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
            raise BadTable(f"the table cannot be read: {error}") from None
        return _from_table(table, "the table", value=value, time=time, series=series, se=se)
    return _from_numbers(rows, value=value, time=time, series=series, se=se)


def _is_frame(rows: Any) -> bool:
    return hasattr(rows, "columns") and hasattr(rows, "__arrow_c_stream__")


def _from_numbers(
    rows: Any, *, value: str, time: str | None, series: str | None, se: str | Sequence[float] | Floats | None
) -> Rows:
    for name, column in (("time", time), ("series", series), ("se", se if isinstance(se, str) else None)):
        if column:
            raise BadInput(f"{name}={column!r} names a column, but plain numbers were given, not a table")
    values, spread = _floats(rows, "values"), None if se is None else _floats(se, "se")
    if spread is not None and len(spread) != len(values):
        raise BadInput(
            f"{len(values)} values and {len(spread)} standard errors; one for each value is needed"
        )
    _check(values, spread, np.arange(len(values)), "value", "se", "index {}")
    return Rows(
        names=(value,), parts=(slice(0, len(values)),), values=values, se=spread, times=None, notes=()
    )


def _floats(rows: Any, what: str) -> Floats:
    try:
        values = np.array(rows, dtype=float)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{what}: numbers were expected ({error})") from None
    if values.ndim != 1:
        raise BadInput(f"{what}: one row of numbers was expected, an array of shape {values.shape} was given")
    return values


def _from_table(
    table: pa.Table,
    place: str,
    *,
    value: str,
    time: str | None,
    series: str | None,
    se: str | Sequence[float] | Floats | None,
) -> Rows:
    if se is not None and not isinstance(se, str):
        raise BadInput("se: with a table, name the column that holds the standard errors")
    if not value:
        raise BadInput(f"{place}: say which column holds the values; there are {_listed(table)}")
    if table.num_rows == 0:
        raise BadTable(f"{place}: there are column heads and no rows; at least one row was expected")
    n = table.num_rows
    values = _numbers(_column(table, value, "value", place), value, place)
    spread = None if se is None else _numbers(_column(table, se, "se", place), se, place)
    notes: list[Text] = []
    names, codes = _series(table, series, value, place)
    times = None if time is None else _times(_column(table, time, "time", place), time, place, notes)
    _check(values, spread, np.arange(n), value, se or "", f"{place}: row {{}}", first=1)
    if spread is not None:
        unknown = np.isnan(spread) & ~np.isnan(values)
        if unknown.any():
            values = np.where(unknown, np.nan, values)
            count = int(unknown.sum())
            notes.append(
                Text(
                    f"Values without a standard error, counted as missing: {count}.",
                    f"Значения без стандартной ошибки, сочтены пропущенными: {count}.",
                )
            )
    order = np.argsort(codes, kind="stable")
    if times is not None:
        ranks = _ranks(times)
        order = np.lexsort((ranks, codes))
        _no_repeats(order, codes, ranks, names if series else ("",), times, time or "", place)
        in_file = np.argsort(codes, kind="stable")
        if not np.array_equal(order, in_file):
            notes.append(
                Text(
                    f"Rows were not in the order of {time}; they were sorted.",
                    f"Строки шли не по порядку столбца {time}; они отсортированы.",
                )
            )
        times = times.take(pa.array(order))
    edges = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(names)))])
    return Rows(
        names=names,
        parts=tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(edges)),
        values=values[order],
        se=None if spread is None else spread[order],
        times=times,
        notes=tuple(notes),
    )


def _listed(table: pa.Table) -> str:
    return ", ".join(table.column_names) or "none"


def _column(table: pa.Table, name: str, role: str, place: str) -> pa.Array:
    if name not in table.column_names:
        raise BadTable(f"{place}: no column {name!r} (asked for as --{role}); there are {_listed(table)}")
    column = table.column(name).combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column


def _numbers(column: pa.Array, name: str, place: str) -> Floats:
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _numbers_in_text(column, name, place)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
            or pa.types.is_boolean(kind)):  # fmt: skip
        raise BadTable(f"{place}: column {name!r} holds {kind}, numbers were expected")
    plain = column.cast(pa.int8()) if pa.types.is_boolean(kind) else column
    return plain.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)


def _numbers_in_text(column: pa.Array, name: str, place: str) -> Floats:
    out = np.full(len(column), np.nan)
    for row, text in enumerate(column.to_pylist()):
        plain = (text or "").strip().replace("\u00a0", "").replace(" ", "")
        if plain.lower() in ("", "nan", "na", "n/a", "null", "none"):
            continue
        if plain.count(",") == 1 and "." not in plain:
            plain = plain.replace(",", ".")
        try:
            out[row] = float(plain)
        except ValueError:
            raise BadTable(
                f"{place}: row {row + 1} (without the head), column {name!r}: {text!r} is no number; "
                f"correct it, or leave it empty if it is unknown"
            ) from None
    return out


def _check(
    values: Floats, se: Floats | None, rows: npt.NDArray[np.int64], value: str, se_name: str, place: str,
    *, first: int = 0,
) -> None:  # fmt: skip
    infinite = rows[np.isinf(values)]
    if len(infinite):
        where = place.format(infinite[0] + first)
        raise BadTable(f"{where}, {value}: the value is infinite; correct it, or leave it empty if unknown")
    if se is None:
        return
    wrong = rows[np.isinf(se) | (se <= 0)]
    if len(wrong):
        where = place.format(wrong[0] + first)
        raise BadTable(f"{where}, {se_name}: a standard error is finite and above 0, not {se[wrong[0]]:g}")


def _series(
    table: pa.Table, series: str | None, value: str, place: str
) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    if series is None:
        return (value,), np.zeros(table.num_rows, dtype=np.int64)
    column = _column(table, series, "series", place)
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]) + 1
        raise BadTable(f"{place}: row {row}, column {series!r}: the name of the series is empty")
    encoded = column.dictionary_encode()
    names = tuple(str(name) for name in encoded.dictionary.to_pylist())
    return names, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _times(column: pa.Array, name: str, place: str, notes: list[Text]) -> pa.Array:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]) + 1
        raise BadTable(f"{place}: row {row}, column {name!r}: the time is empty")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _days_in_text(column, name, place, notes)
    return column


def _days_in_text(column: pa.Array, name: str, place: str, notes: list[Text]) -> pa.Array:
    """Dates as people write them; other words keep their order of the alphabet (2024-Q1, 2024-W05)."""
    texts = column.to_pylist()
    fits = []
    for form in DAY_FORMATS:
        try:
            fits.append([datetime.strptime(text.strip(), form).date() for text in texts])  # noqa: DTZ007
        except ValueError:
            continue
    if not fits:
        return column
    if any(other != fits[0] for other in fits[1:]):
        raise BadTable(
            f"{place}: column {name!r}: {texts[0]!r} can be read as {fits[0][0]} and as {fits[1][0]}; "
            f"write the dates as 2024-12-31"
        )
    notes.append(
        Text(
            f"{name}: {texts[0]!r} was read as {fits[0][0]}.",
            f"{name}: {texts[0]!r} прочитано как {fits[0][0]}.",
        )
    )
    return pa.array(fits[0])


def _ranks(times: pa.Array) -> npt.NDArray[np.int64]:
    order = pc.rank(times, sort_keys="ascending", tiebreaker="dense")  # pyright: ignore[reportAttributeAccessIssue]
    return order.to_numpy(zero_copy_only=False).astype(np.int64)


def _no_repeats(
    order: npt.NDArray[np.int64],
    codes: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int64],
    names: tuple[str, ...],
    times: pa.Array,
    time: str,
    place: str,
) -> None:
    twice = (np.diff(codes[order]) == 0) & (np.diff(ranks[order]) == 0)
    if twice.any():
        at = int(np.flatnonzero(twice)[0])
        first, second = sorted((int(order[at]) + 1, int(order[at + 1]) + 1))
        name = names[codes[order[at]]]
        which = f" of series {name!r}" if name else ""
        raise BadTable(
            f"{place}: rows {first} and {second}{which} have the same {time} ({times[first - 1]}); "
            f"keep one of them, or name the column that tells the series apart (--series)"
        )
