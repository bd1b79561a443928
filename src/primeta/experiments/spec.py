"""How the metrics of a file are named: `NAME=COL`, `NAME=COL:share`, `NAME=NUM/DEN`, and amounts such as `2%`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from primeta.errors import BadInput, BadTable
from primeta.experiments.records import Amount, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMetric:
    """One metric over the columns of a table with one row per customer."""

    name: str
    numerator: str
    denominator: str = ""
    kind: Kind = "mean"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.numerator, self.denominator) if self.denominator else (self.numerator,)


def metrics_of(given: Mapping[str, str] | Iterable[str], columns: Collection[str]) -> tuple[FileMetric, ...]:
    """Metrics as a person names them, held against the columns that there are.

    Raises:
        BadInput: no metric, an entry without a name, a name used twice.
        BadTable: a column that is not there.
    """
    pairs = (
        list(given.items()) if isinstance(given, Mapping) else [named(entry, "--metric") for entry in given]
    )
    if not pairs:
        raise BadInput("no metric is named; give at least one, such as --metric revenue=spend")
    found = [_metric(name.strip(), text.strip(), columns) for name, text in pairs]
    names = [metric.name for metric in found]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise BadInput(f"two metrics are called {twice!r}; give each a name of its own")
    return tuple(found)


def _metric(name: str, text: str, columns: Collection[str]) -> FileMetric:
    if text in columns:
        return FileMetric(name=name, numerator=text)
    if text.endswith(":share"):
        column = text.removesuffix(":share").strip()
        check_column(column, columns, f"metric {name}")
        return FileMetric(name=name, numerator=column, kind="share")
    if ":" in text and (ending := text.rpartition(":")[2].strip()) and text.rpartition(":")[0] in columns:
        if ending == "mean":
            return FileMetric(name=name, numerator=text.rpartition(":")[0])
        raise BadInput(f"metric {name}: {ending!r} is no kind; write COL, COL:share or NUM/DEN")
    top, slash, bottom = text.partition("/")
    if slash:
        top, bottom = top.strip(), bottom.strip()
        for column in (top, bottom):
            check_column(column, columns, f"metric {name}")
        return FileMetric(name=name, numerator=top, denominator=bottom, kind="ratio")
    check_column(text, columns, f"metric {name}")
    return FileMetric(name=name, numerator=text)


def check_column(column: str, columns: Collection[str], what: str) -> None:
    if column not in columns:
        listed = ", ".join(list(columns)[:20])
        raise BadTable(f"{what}: there is no column {column!r}; the table has {listed}")


def named(entry: str, option: str) -> tuple[str, str]:
    """`NAME=VALUE` in two."""
    name, equals, value = entry.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise BadInput(f"{option} {entry!r}: NAME=VALUE was expected, such as {option} revenue=spend")
    return name.strip(), value.strip()


def number(text: str, what: str) -> float:
    """A finite number as a person writes it; `20%` is .2."""
    stripped = text.strip().replace("−", "-")
    try:
        value = float(stripped.removesuffix("%")) / (100 if stripped.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"{what}: a number was expected, {text!r} was given")
    return value


def two_numbers(text: str, what: str) -> tuple[float, float]:
    """`0.2:0.5` as two numbers."""
    first, colon, second = text.partition(":")
    if not colon:
        raise BadInput(f"{what}: two numbers with a colon were expected, such as 0.2:0.5, {text!r} was given")
    return number(first, what), number(second, what)


def amount(text: str | float, what: str) -> Amount:
    """`0.5` in the metric's unit, `2%` relative to the control."""
    return Amount(number(str(text), what), relative=str(text).strip().endswith("%"))


def has_sign(text: str | float) -> bool:
    """Whether a person wrote a sign: `-2%`, `+0.1`."""
    return str(text).strip()[:1] in ("+", "-", "−")
