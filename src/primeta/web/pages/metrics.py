"""Metrics: what is measured, and one metric by its slices with the band of what was expected."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.errors import NotFound
from primeta.facts import GRAINS
from primeta.web.charts import drawn, level_title, picture_of
from primeta.web.page import Site, page, reader_of, site_of
from primeta.web.pages.signals import finding, specification
from primeta.workspace.views import MetricView, SeriesView

router = APIRouter()
LAST = 26


@router.get("/metrics")
def metrics(request: Request) -> Response:
    views = site_of(request).workspace.metrics()
    return page(
        request,
        "metrics.html",
        measured=[view for view in views if not view.why_not],
        missing=[(view.metric, reason_of(site_of(request), view)) for view in views if view.why_not],
    )


def reason_of(site: Site, view: MetricView) -> str:
    """Why a metric is not measured; one that the file leaves out will not be measured next time either."""
    chosen = site.workspace.config.watch.metrics
    if view.why_not == "not-measured-yet" and chosen and view.metric.name not in chosen:
        return "not-chosen"
    return view.why_not


@router.get("/metrics/{name}")
def metric(request: Request, name: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    declared = reader.metrics.get(name)
    if declared is None:
        raise NotFound(f"there is no metric {name!r}; expected one of {', '.join(sorted(reader.metrics))}")
    view = None
    why_not = next(reason_of(site, entry) for entry in site.workspace.metrics() if entry.metric.name == name)
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
        picture=drawn(picture_of(reader, view, title=level_title(reader, view)))
        if view is not None
        else None,
        rows=_rows(view) if view is not None else [],
        signals=signals,
        finding=lambda entry: finding(reader, entry),
    )


def _wanted(request: Request) -> tuple[str, str]:
    grain = request.query_params.get("grain", "week")
    return request.query_params.get("slice", "all"), grain if grain in GRAINS else "week"


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
    return specification(request, picture_of(reader, view, title=level_title(reader, view)))
