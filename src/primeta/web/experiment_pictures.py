"""The pictures of an experiment: its answer over the looks, and what its size can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from primeta.experiments.interval_picture import Course, Point, interval_picture
from primeta.experiments.look import Moment
from primeta.experiments.views_words import number
from primeta.show.chart import Picture
from primeta.web import experiment_rows as rows
from primeta.web.charts import Drawn, drawn
from primeta.web.reader import Reader
from primeta.workspace.experiment_size import PlanSize
from primeta.workspace.views import ExperimentView


def course_of(
    reader: Reader, view: ExperimentView, moments: Sequence[Moment] | None = None
) -> Picture | None:
    """The difference on the primary metric over time; nothing before the first look.

    Args:
        moments: Of every day; None: only of the days on which somebody looked.
    """
    look = view.look
    if look is None:
        return None
    points = _of_moments(moments) if moments else _of_looks(reader, view)
    tags = rows.tags_of(reader, view)
    courses = [
        Course(letter=tags[arm.name].letter, points=tuple(points.get(arm.name, ())))
        for arm in view.plan.treated
    ]
    if not any(course.known for course in courses):
        return None
    names, primary = rows.names_of(reader, view.plan), view.plan.primary
    unit = names.gap(primary.name)
    last: Mapping[str, object] = next(
        (row for row in look.analysis.get("effects") or () if row.get("role") == "primary"), {}
    )
    matters = primary.smallest.value if primary.smallest else float("nan")
    if primary.smallest and primary.smallest.relative:
        matters *= abs(number(last, "control_mean"))
    level = reader.percent(float(look.analysis.get("level") or view.plan.level))

    def written(value: float) -> str:
        return reader.figure(value, unit, sign=True).text

    return interval_picture(
        courses,
        reader.lang,
        title=_course_title(reader, view, courses, written),
        subtitle=str(
            reader._(
                "{metric}, difference to the control; dark band {level} for one look, pale band for every look",
                metric=names.goal(primary),
                level=level,
            )
        ),
        source=str(reader._("Source: the facts of this workspace until {day:date}.", day=look.seen_until)),
        written=written,
        matters=matters,
        until=view.last_day,
    )


def _of_looks(reader: Reader, view: ExperimentView) -> dict[str, list[Point]]:
    """Arm → what each saved look knew of it."""
    found: dict[str, list[Point]] = {}
    for look in view.looks:
        for entry in look.analysis.get("effects") or ():
            if entry.get("role") == "primary" and not entry.get("segment"):
                found.setdefault(str(entry["arm"]), []).append(
                    Point(
                        day=look.seen_until.astimezone(reader.zone).date(),
                        difference=number(entry, "difference"),
                        low=number(entry, "low"),
                        high=number(entry, "high"),
                        outer_low=number(entry, "always_low"),
                        outer_high=number(entry, "always_high"),
                    )
                )
    return found


def _of_moments(moments: Sequence[Moment]) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for moment in moments:
        found.setdefault(moment.arm, []).append(
            Point(
                day=moment.day,
                difference=moment.difference,
                low=moment.low,
                high=moment.high,
                outer_low=moment.always_low,
                outer_high=moment.always_high,
            )
        )
    return found


def _course_title(
    reader: Reader, view: ExperimentView, courses: Sequence[Course], written: Callable[[float], str]
) -> str:
    """Where the arms stand after so many looks."""
    stands = [
        str(reader._("{arm} at {value}", arm=course.letter, value=written(course.known[-1].difference)))
        for course in courses
        if course.known
    ]
    n = len(view.looks)
    return str(reader._n("After {n} look: {arms}", "After {n} looks: {arms}", n, arms=reader.listed(stands)))


def drawn_or_none(picture: Picture | None) -> Drawn | None:
    return drawn(picture) if picture else None


def size_curve(reader: Reader, size: PlanSize) -> Picture | None:
    """What a plan can show over its weeks; the sentence about what it takes stands above it already."""
    picture = size.picture(reader.lang)
    if picture is None:
        return None
    last = size.plan.ends - timedelta(days=1)
    title = reader._("The smallest effect that it can show")
    if math.isfinite(size.smallest_shown):
        shown = size.names(reader.lang).difference(size.smallest_shown, size.plan.primary.name)
        title = reader._("By {day:date} it can show {x}", day=last, x=shown)
    return replace(picture, title=str(title))
