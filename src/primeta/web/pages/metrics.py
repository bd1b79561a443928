"""Metrics: what is measured, and one metric by its slices with the band of what was expected."""

from __future__ import annotations

import math

from fastapi import APIRouter, Request, Response

from primeta.errors import NotFound
from primeta.facts import GRAINS
from primeta.web.charts import drawn, picture_of
from primeta.web.page import page, reader_of, site_of
from primeta.web.pages.signals import finding, specification
from primeta.web.reader import Reader
from primeta.workspace.views import SeriesView

router = APIRouter()
LAST = 26


@router.get("/metrics")
def metrics(request: Request) -> Response:
    views = site_of(request).workspace.metrics()
    return page(
        request,
        "metrics.html",
        measured=[view for view in views if not view.why_not],
        missing=[view for view in views if view.why_not],
    )


@router.get("/metrics/{name}")
def metric(request: Request, name: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    declared = reader.metrics.get(name)
    if declared is None:
        raise NotFound(f"there is no metric {name!r}; expected one of {', '.join(sorted(reader.metrics))}")
    view, why_not = (
        None,
        next((entry.why_not for entry in site.workspace.metrics() if entry.metric.name == name), ""),
    )
    code, grain = _wanted(request)
    slices = site.workspace.metric_slices(name)
    if slices:
        view = site.workspace.metric_series(name, code, grain=grain)
        why_not = why_not or view.why_not
    signals = [entry for entry in site.workspace.signals() if entry.frozen.about == name]
    return page(
        request,
        "metric.html",
        reader,
        metric=declared,
        view=view,
        why_not=why_not,
        code=code,
        grain=grain,
        grains=GRAINS,
        slices=slices,
        picture=drawn(picture_of(reader, view, title=_title(reader, view))) if view is not None else None,
        rows=_rows(view) if view is not None else [],
        signals=signals,
        finding=lambda entry: finding(reader, entry),
    )


def _wanted(request: Request) -> tuple[str, str]:
    grain = request.query_params.get("grain", "week")
    return request.query_params.get("slice", "all"), grain if grain in GRAINS else "week"


def _title(reader: Reader, view: SeriesView) -> str:
    """The finding of a series: where its last point stands."""
    name = view.metric.label_in(reader.lang)
    known = [index for index, value in enumerate(view.observed.tolist()) if math.isfinite(value)]
    if not known:
        return str(reader._("{name}: no point is known yet", name=name))
    last = known[-1]
    value = reader.value_of(view.metric, float(view.observed[last]))
    low, high = float(view.low[last]), float(view.high[last])
    if not (math.isfinite(low) and math.isfinite(high)):
        return str(reader._("{name}: {value} at last", name=name, value=value))
    if view.observed[last] > high:
        return str(reader._("{name}: {value} at last, above the usual band", name=name, value=value))
    if view.observed[last] < low:
        return str(reader._("{name}: {value} at last, below the usual band", name=name, value=value))
    return str(reader._("{name}: {value} at last, within the usual band", name=name, value=value))


def _rows(view: SeriesView) -> list[dict[str, object]]:
    """The last points as a table, newest first, for whoever does not see the chart."""
    points = range(len(view.starts) - 1, max(len(view.starts) - 1 - LAST, -1), -1)
    return [
        {
            "start": view.starts[index].astype("datetime64[D]").item(),
            "value": float(view.observed[index]),
            "se": float(view.se[index]),
            "customers": float(view.customers[index]),
            "expected": float(view.expected[index]),
            "low": float(view.low[index]),
            "high": float(view.high[index]),
        }
        for index in points
    ]


@router.get("/metrics/{name}/chart")
def metric_chart(request: Request, name: str) -> Response:
    """The specification of the chart, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    code, grain = _wanted(request)
    view = site.workspace.metric_series(name, code, grain=grain)
    return specification(request, picture_of(reader, view, title=_title(reader, view)))
