"""The interval over the looks: what is drawn, what is cut, and what a listener hears."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from primeta.experiments.interval_picture import Course, Point, interval_picture
from primeta.show.palette import PALETTE

NAN = float("nan")


def course(letter: str, looks: int, *, middle: float = 20.0) -> Course:
    """Looks a week apart whose intervals narrow like one over the square root of their number."""
    points = []
    for number in range(1, looks + 1):
        half = 100 / number**0.5
        points.append(
            Point(
                day=date(2026, 10, 5) + timedelta(weeks=number),
                difference=middle,
                low=middle - half,
                high=middle + half,
                outer_low=middle - 1.5 * half,
                outer_high=middle + 1.5 * half,
            )
        )
    return Course(letter=letter, points=tuple(points))


def picture(*courses: Course, lang: str = "en", matters: float = 26.0):
    return interval_picture(
        courses,
        lang,
        title="After some looks",
        subtitle="",
        source="",
        written=lambda value: f"{value:+.0f}",
        matters=matters,
        until=date(2026, 12, 30),
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 760])
def test_each_arm_has_its_own_panel_colour_and_letter(theme, width):
    svg = picture(course("A", 4), course("B", 12, middle=-5)).svg(theme, width=width)
    texts = [element.text for element in ElementTree.fromstring(svg).iter() if element.text]
    assert "A +20" in texts
    assert "B -5" in texts
    assert texts.count("0") == 2
    assert texts.count("smallest effect that matters") == 1
    place = 0 if theme == "light" else 1
    assert PALETTE["arm-a"][place] in svg
    assert PALETTE["arm-b"][place] in svg


def test_a_listener_hears_the_last_interval_of_each_arm():
    # Four looks: half = 100 / 2, one and a half times as wide for every look: 20 ± 75.
    name = ElementTree.fromstring(picture(course("A", 4)).svg()).get("aria-label")
    assert name == "After some looks A: +20, from -55 to +95 on 2\u00a0Nov\u00a02026"


def test_in_russian():
    svg = picture(course("A", 4), lang="ru").svg()
    assert "наименьший значимый эффект" in svg
    assert "2\u00a0ноября\u00a02026" in svg


def test_the_first_looks_do_not_press_the_last_ones_flat():
    """The band of the first look is 12 times as wide as that of the last one; it is cut, and the rest can be read."""
    specification = picture(course("A", 150)).specification()
    found = [layer["data"].get("values", []) for layer in specification["layer"]]
    found += specification.get("datasets", {}).values()
    bands = [row for rows in found for row in rows if {"y", "y2"} <= set(row)]
    assert min(row["y2"] for row in bands) >= 0
    assert max(row["y"] for row in bands) <= specification["height"]
    last = max(row["x"] for row in bands)
    tallest = max(abs(row["y"] - row["y2"]) for row in bands if row["x"] == last)
    assert tallest > specification["height"] / 8


def test_one_look_is_a_bar_and_an_unknown_one_is_left_out():
    known = course("A", 1)
    unknown = Point(day=date(2026, 10, 5), difference=NAN, low=NAN, high=NAN, outer_low=NAN, outer_high=NAN)
    both = Course(letter="A", points=(unknown, *known.points))
    for drawn in (known, both):
        svg = picture(drawn, matters=NAN).svg()
        assert "NaN" not in svg
        assert "smallest effect" not in svg


def test_a_narrower_interval_stands_where_the_wider_one_is_not_known():
    points = tuple(
        Point(day=p.day, difference=p.difference, low=p.low, high=p.high, outer_low=NAN, outer_high=NAN)
        for p in course("A", 3).points
    )
    svg = picture(Course(letter="A", points=points)).page_svg()
    assert "NaN" not in svg
    # In a page every colour is a token, so that it follows the theme.
    assert not re.search(r"#[0-9a-f]{6}", svg)
