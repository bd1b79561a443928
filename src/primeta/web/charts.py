"""A series as the chart of a page: a wide and a narrow drawing, and a specification for Vega."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from primeta.show.chart import NARROW, WIDE, Picture
from primeta.show.series_chart import series_picture
from primeta.web.reader import Reader
from primeta.workspace.views import SeriesView

SHOWN = 104
"""Periods at the most: two years of weeks; older ones say little about now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What the macro `chart` shows."""

    title: str
    subtitle: str
    source: str
    wide: Markup
    narrow: Markup


def picture_of(reader: Reader, view: SeriesView, *, title: str) -> Picture:
    """The chart of a series with its band and its marks."""
    starts: list[date] = view.starts.astype("datetime64[D]").tolist()[-SHOWN:]
    grain = {
        "week": reader._("weekly"),
        "month": reader._("monthly"),
        "quarter": reader._("quarterly"),
    }[view.grain]
    what = reader._(
        "{name}, {slice:slice}, {grain}; the band is what was expected, 95%",
        name=view.metric.label_in(reader.lang),
        slice=view.slice,
        grain=str(grain),
    )
    counts = [value for value in view.customers[-SHOWN:].tolist() if value == value]
    source = ""
    if counts:
        source = str(
            reader._(
                "Source: the facts of this workspace, {n:int} customers in a usual period.",
                n=sorted(counts)[len(counts) // 2],
            )
        )
    return series_picture(
        starts,
        view.observed[-SHOWN:].tolist(),
        reader.lang,
        title=title,
        subtitle=str(what),
        source=source,
        unit=view.metric.unit,
        currency=reader.currency,
        low=view.low[-SHOWN:].tolist(),
        high=view.high[-SHOWN:].tolist(),
        since=view.since,
        first_seen=view.first_seen,
    )


def level_title(reader: Reader, view: SeriesView) -> str:
    """The finding of a series: where its last point stands."""
    name = view.metric.label_in(reader.lang)
    if view.slice not in ("", "all"):
        name = f"{name}, {reader.slice_name(view.slice)}"
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


def drawn(picture: Picture) -> Drawn:
    return Drawn(
        title=picture.title,
        subtitle=picture.subtitle,
        source=picture.source,
        wide=Markup(picture.page_svg(width=WIDE)),
        narrow=Markup(picture.page_svg(width=NARROW)),
    )
