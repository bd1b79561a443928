"""What the last watch measured, kept beside the workspace: series with what was expected of them.

It lives in `cache/` and may be deleted at any time: the next watch writes it again.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from primeta.errors import NotFound
from primeta.facts import Grain
from primeta.signals.watch import Band
from primeta.trends.ground import OF_THE_BASKET, Lookup
from primeta.warehouse.metric import Measure, Metric
from primeta.warehouse.series import Series
from primeta.workspace.files import write_whole
from primeta.workspace.views import MetricView, SeriesView

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

FOLDER = "cache"
SERIES = "watched.parquet"
ABOUT = "watched.json"
NUMBERS = ("value", "se", "customers", "numerator", "denominator", "expected", "low", "high")


def save_measured(
    folder: Path,
    series: Iterable[Series],
    bands: Mapping[tuple[str, str], Band],
    *,
    not_watched: Mapping[tuple[str, str], str],
    why_not_metrics: Mapping[str, str],
    fullness: Mapping[str, float],
    consent_share: float,
) -> None:
    """Write both files under temporary names, then rename them: a reader never sees half of one."""
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    sink = pa.BufferOutputStream()
    pq.write_table(_table(series, bands), sink)
    write_whole(place / SERIES, sink.getvalue().to_pybytes())
    about = {
        "not_watched": [[*key, why] for key, why in sorted(not_watched.items())],
        "metrics": dict(why_not_metrics),
        "fullness": dict(fullness),
        "consent_share": consent_share if math.isfinite(consent_share) else None,
    }
    write_whole(place / ABOUT, json.dumps(about))


def _table(series: Iterable[Series], bands: Mapping[tuple[str, str], Band]) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in ("metric", "slice", "grain", "start", *NUMBERS)}
    for entry in series:
        n = len(entry.starts)
        band = bands.get(entry.key) if entry.grain == "week" else None
        unknown = np.full(n, np.nan)
        columns["metric"].append(np.repeat(entry.metric, n))
        columns["slice"].append(np.repeat(entry.slice.code, n))
        columns["grain"].append(np.repeat(entry.grain, n))
        columns["start"].append(entry.starts.astype("datetime64[D]"))
        for name in ("value", "se", "customers", "numerator", "denominator"):
            columns[name].append(getattr(entry, name))
        for name in ("expected", "low", "high"):
            columns[name].append(unknown if band is None else _on(entry.starts, band, getattr(band, name)))
    arrays = {name: pa.array(np.concatenate(parts) if parts else []) for name, parts in columns.items()}
    table = pa.table(arrays)
    for name in ("metric", "slice", "grain"):
        index = table.schema.get_field_index(name)
        table = table.set_column(index, name, table[name].cast(pa.string()).dictionary_encode())
    return table


def _on(
    starts: npt.NDArray[np.datetime64], band: Band, values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """A band's values on the weeks of its series; NaN where nothing was expected yet."""
    found = np.full(len(starts), np.nan)
    places = np.searchsorted(starts, band.starts)
    inside = places < len(starts)
    inside[inside] = starts[places[inside]] == band.starts[inside]
    found[places[inside]] = values[inside]
    return found


def load_views(
    ws: Workspace,
    *,
    metric: str | None = None,
    slice_code: str | None = None,
    grain: Grain | None = None,
) -> dict[tuple[str, str, str], SeriesView]:
    """(metric, slice, grain) → series, of those asked for; empty before the first watch."""
    path = ws.folder / FOLDER / SERIES
    if not path.exists():
        return {}
    wanted = [("metric", "=", metric), ("slice", "=", slice_code), ("grain", "=", grain)]
    filters = [entry for entry in wanted if entry[2] is not None]
    table = pq.read_table(path, filters=filters or None)
    known_metrics = declared(ws)
    keys = [table[name].cast(pa.string()).to_pylist() for name in ("metric", "slice", "grain")]
    starts = table["start"].to_numpy().astype("datetime64[D]")
    numbers = {name: table[name].to_numpy().astype(float) for name in NUMBERS}
    why = _not_watched(ws)
    found: dict[tuple[str, str, str], SeriesView] = {}
    for key, rows in _runs(list(zip(*keys, strict=True))):
        name, code, of_grain = key
        found[key] = SeriesView(
            metric=known_metrics.get(name) or _unknown_metric(name),
            slice=code,
            grain=of_grain,
            starts=starts[rows],
            observed=numbers["value"][rows],
            se=numbers["se"][rows],
            customers=numbers["customers"][rows],
            numerator=numbers["numerator"][rows],
            expected=numbers["expected"][rows],
            low=numbers["low"][rows],
            high=numbers["high"][rows],
            why_not=why.get((name, code), "") if of_grain == "week" else "",
        )
    return found


def _runs(keys: list[tuple[str, str, str]]) -> Iterable[tuple[tuple[str, str, str], slice]]:
    """Stretches of equal keys: a series is written in one piece."""
    first = 0
    for index in range(1, len(keys) + 1):
        if index == len(keys) or keys[index] != keys[first]:
            yield keys[first], slice(first, index)
            first = index


def series_of(
    ws: Workspace,
    metric: str,
    slice_code: str = "all",
    *,
    grain: str = "week",
    since: date | None = None,
    first_seen: date | None = None,
) -> SeriesView:
    """One series.

    Raises:
        NotFound: nothing was measured yet, or there is no such metric or slice.
    """
    found = load_views(ws, metric=metric, slice_code=slice_code, grain=grain)  # pyright: ignore[reportArgumentType]
    view = found.get((metric, slice_code, grain))
    if view is None:
        known = slices_of(ws, metric)
        if not known:
            raise NotFound(
                f"{metric!r} is not measured here; run `primeta watch {ws.folder}`, or see its metrics"
            )
        raise NotFound(f"{metric} has no slice {slice_code!r}; expected one of {', '.join(known[:20])}")
    return dataclasses.replace(view, since=since, first_seen=first_seen)


def slices_of(ws: Workspace, metric: str) -> tuple[str, ...]:
    codes = {code for _, code, _ in load_views(ws, metric=metric, grain="week")}
    return tuple(sorted(codes, key=lambda code: (code != "all", code.count("&"), code)))


def metric_views(ws: Workspace) -> tuple[MetricView, ...]:
    views = load_views(ws, grain="week")
    why_not = _about(ws).get("metrics", {})
    signals = ws.signals()
    found = []
    for name, metric in declared(ws).items():
        codes = [code for owner, code, _ in views if owner == name]
        whole = views.get((name, "all", "week"))
        known = np.flatnonzero(np.isfinite(whole.observed)) if whole is not None else np.array([], dtype=int)
        last = int(known[-1]) if len(known) else None
        nan = float("nan")
        found.append(
            MetricView(
                metric=metric,
                value=nan if whole is None or last is None else float(whole.observed[last]),
                se=nan if whole is None or last is None else float(whole.se[last]),
                slices=len(codes),
                signals=sum(signal.frozen.about == name for signal in signals),
                why_not=why_not.get(name, "" if codes else "not-measured-yet"),
            )
        )
    return tuple(found)


def lookup_in(ws: Workspace) -> Lookup:
    """What was measured, for weighing."""
    views = load_views(ws)
    return lambda metric, code, grain: views.get((metric, code, grain))


def fullness(ws: Workspace) -> dict[str, float]:
    """`table.column` → share of rows that carry a value."""
    return _about(ws).get("fullness", {})


def consent_share(ws: Workspace) -> float:
    """Of all customers; NaN where no consents are mapped."""
    known = _about(ws).get("consent_share")
    return float("nan") if known is None else float(known)


def tables_of_metrics(ws: Workspace) -> dict[str, str]:
    """Metric → the canonical table that its numerator is counted from."""
    from primeta.warehouse.metrics import BUILT_IN

    return {
        name: metric.numerator.table
        if isinstance(metric.numerator, Measure)
        else BUILT_IN[metric.numerator].needs[0][0]
        for name, metric in declared(ws).items()
    }


def basket_metrics(ws: Workspace) -> frozenset[str]:
    """Metrics that say what is in an order: they count per order, per line or per its money."""

    def per_order(metric: Metric) -> bool:
        if isinstance(metric.denominator, Measure):
            return metric.denominator.table in ("orders", "order_lines")
        return metric.denominator in ("orders", "list_price")

    return OF_THE_BASKET | {name for name, metric in declared(ws).items() if per_order(metric)}


def declared(ws: Workspace) -> dict[str, Metric]:
    """Every metric that the workspace could have, built in or its own, and how much is welcomed of what is sent."""
    from primeta.attention.segment_series import ATTENTION
    from primeta.warehouse.metrics import declared_metrics

    found = declared_metrics(ws.config)
    if {"messages", "reactions"} <= set(ws.config.tables):
        found.setdefault(ATTENTION.name, ATTENTION)
    return found


def _unknown_metric(name: str) -> Metric:
    """A metric that the file no longer declares but that was measured."""
    return Metric(name=name, numerator="", denominator="", unit="count", good="neither", smallest_effect=0.02)


def _about(ws: Workspace) -> dict[str, Any]:
    path = ws.folder / FOLDER / ABOUT
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _not_watched(ws: Workspace) -> dict[tuple[str, str], str]:
    return {(metric, code): why for metric, code, why in _about(ws).get("not_watched", [])}
