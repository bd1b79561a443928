"""Small pictures, charts and tables: what they say, that they are escaped, that unknown is not drawn."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeta.show import interval
from primeta.show.chart import vega_bundle
from primeta.show.palette import PALETTE
from primeta.show.radar import Blip, radar
from primeta.show.result import Head, Table, plain
from primeta.show.series_chart import series_picture

NAN = math.nan
WEEKS = [date(2026, 5, 18) + timedelta(days=7 * index) for index in range(26)]


def test_an_interval_is_placed_by_share_of_the_scale():
    # LOOK.md: x = (v − min)/(max − min)
    drawn = interval.iv(0.5, -1, 2, scale=interval.Scale(-2, 2, ()), label="x")
    assert 'x1="25%" x2="100%"' in drawn
    assert 'cx="62.5%"' in drawn
    assert drawn.index('class="zero"') < drawn.index('class="range"')


def test_a_guess_is_dashes_and_a_diamond_and_unknown_is_not_drawn():
    scale = interval.scale_of([-1, 3])
    guess = interval.iv(1, -1, 3, scale=scale, basis="guess")
    assert 'data-basis="guess"' in guess
    assert interval.DIAMOND in guess
    unknown = interval.iv(NAN, NAN, NAN, scale=scale)
    assert "range" not in unknown
    assert "dot" not in unknown


def test_a_label_is_escaped_and_an_unlabelled_picture_is_hidden():
    scale = interval.scale_of([1.0])
    assert 'aria-label="&lt;b&gt; &quot;"' in interval.iv(1, 0, 2, scale=scale, label='<b> "')
    assert 'aria-hidden="true"' in interval.iv(1, 0, 2, scale=scale)


@pytest.mark.parametrize(
    ("low", "high", "up_is_bad", "expected"),
    [
        (1, 2, False, "gain"),
        (-2, -1, False, "loss"),
        (-1, 1, False, "unsure"),
        (1, 2, True, "loss"),
        (-2, -1, True, "gain"),
        (NAN, 1, False, "unsure"),
    ],
)
def test_the_verdict_of_an_interval(low, high, up_is_bad, expected):
    assert interval.verdict_of(low, high, up_is_bad=up_is_bad) == expected


@given(st.lists(st.floats(-1e12, 1e12) | st.just(NAN), max_size=8))
def test_a_scale_holds_zero_every_value_and_round_ticks(values):
    scale = interval.scale_of(values)
    assert scale.low <= 0 <= scale.high
    assert all(scale.low <= value <= scale.high for value in values if math.isfinite(value))
    assert 0.0 in scale.ticks
    assert all(0 <= scale.at(value) <= 100 for value in values if math.isfinite(value))


@given(st.lists(st.floats(-1e9, 1e9) | st.just(NAN), min_size=0, max_size=13))
def test_a_spark_line_is_well_formed_whatever_is_missing(values):
    ElementTree.fromstring(interval.spark(values, values, values))
    assert "nan" not in interval.spark(values, values, values)


def test_a_score_has_its_threshold_and_unknown_has_no_bar():
    known = interval.score(82, 50, label="82 of 100")
    assert 'x2="82%"' in known
    assert 'x1="50%"' in known
    assert "got" not in interval.score(NAN, 50, label="cannot tell")


@pytest.mark.parametrize(("origins", "circles"), [(1, 1), (2, 2), (3, 3), (7, 4)])
def test_linked_rings_count_the_origins(origins, circles):
    assert interval.rings(origins).count("<circle") == circles


def chart(lang: str = "en", **changes):
    values = [9.0 - 0.02 * index for index in range(26)]
    options = {
        "title": "Baskets <left> the band",
        "subtitle": "Items per order",
        "source": "receipts",
        "unit": "count",
        "low": [8.8] * 26,
        "high": [9.2] * 26,
        "since": WEEKS[10],
        "first_seen": WEEKS[14],
    }
    return series_picture(WEEKS, values, lang, **{**options, **changes})


def test_a_chart_is_svg_with_one_description_that_holds_its_numbers():
    svg = chart().svg()
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert (
        root.get("aria-label")
        == "Baskets <left> the band. From 9 on 18\u00a0May\u00a02026 to 8.50 on 9\u00a0Nov\u00a02026."
    )
    assert svg.count("aria-label") == 1
    texts = [element.text for element in root.iter() if element.text]
    assert "observed" in texts
    assert "expected" in texts
    assert any(text.startswith("since 27\u00a0Jul") for text in texts)


def test_a_chart_speaks_russian_with_decimal_commas():
    svg = chart("ru").svg()
    assert "на деле" in svg
    assert ">9,0<" in svg or ">9,00<" in svg
    assert "18\u00a0мая" in svg


def test_a_chart_in_a_page_follows_its_theme_and_needs_no_style():
    svg = chart().page_svg()
    assert "var(--ink)" in svg
    assert not re.search(r"#[0-9a-f]{6}", svg)
    assert "style=" not in svg
    assert "<style" not in svg
    dark = chart().svg("dark")
    assert PALETTE["ink"][1] in dark
    assert PALETTE["ink"][0] not in dark


def test_a_gap_is_a_gap_and_no_band_is_no_band():
    values = [1.0] * 10 + [NAN] * 5 + [2.0] * 11
    picture = series_picture(WEEKS, values, "en", title="t", subtitle="", source="", unit="count")
    svg = picture.svg()
    assert "NaN" not in svg
    assert "expected" not in svg
    lines = [part for part in re.findall(r'd="(M[^"]*)"', svg) if part.count("L") > 5]
    assert sorted(part.count("L") for part in lines) == [9, 10]


@pytest.mark.parametrize(
    "values", [[NAN] * 26, [5.0] * 26, [0.0] * 26, [1e15 + index for index in range(26)]]
)
def test_strange_series_are_drawn_without_a_complaint(values):
    ElementTree.fromstring(
        series_picture(
            WEEKS, values, "ru", title="t", subtitle="", source="", unit="money", currency="RUB"
        ).svg()
    )


def test_one_point_and_no_point_are_drawn():
    for starts in ([], WEEKS[:1]):
        values = [1.0] * len(starts)
        ElementTree.fromstring(
            series_picture(starts, values, "en", title="t", subtitle="", source="", unit="share").svg()
        )


def test_no_specification_names_an_outside_address():
    outside = re.findall(r"https?://[^\"']+", json.dumps(chart().specification()))
    # The schema's name is only a name: nothing is fetched from it.
    assert all(address.startswith("https://vega.github.io/schema/") for address in outside)


def test_the_bundle_is_one_script_of_our_own():
    script = vega_bundle()
    assert "vegaEmbed" in script
    assert len(script) > 500_000


def test_the_palette_is_that_of_the_style_sheet():
    sheet = (Path(__file__).parents[2] / "src/primeta/web/static/tokens.css").read_text(encoding="utf-8")
    for token, (light, dark) in PALETTE.items():
        assert re.search(rf"--{token}:\s+light-dark\({light}, {dark}\)", sheet), token


def test_the_radar_names_its_sectors_and_rings_and_escapes_labels():
    blips = [
        Blip(number=number, sector=0, ring=3, grade="holding", href="/trends/t", label="<b>")
        for number in range(1, 30)
    ]
    for width in (720, 358):
        drawn = radar(
            blips,
            sectors=("a", "b", "c", "d", "e"),
            rings=("12", "26", "52", "later"),
            width=width,
            label="29 trends",
        )
        root = ElementTree.fromstring(drawn)
        assert root.get("aria-label") == "29 trends"
        assert drawn.count('class="blip"') == 29
        assert "&lt;b&gt;" in drawn


TABLE = Table(
    heads=(Head("metric"), Head("value", "right")),
    rows=(("ARPU", "1,214"), ("a|b <i>", "8")),
    title="The week",
    note="95%",
)


def test_a_table_in_four_forms():
    assert "| metric | value |\n| --- | --: |" in TABLE.markdown()
    assert "a\\|b" in TABLE.markdown()
    assert '<td class="num">1,214</td>' in TABLE.html()
    assert "a|b &lt;i&gt;" in TABLE.html()
    lines = TABLE.text().splitlines()
    assert lines[0] == "The week"
    assert lines[3] == "ARPU     1,214"
    assert lines[-1] == "95%"
    assert [column.header for column in TABLE.rich().columns] == ["metric", "value"]


def test_json_holds_no_nan_and_times_end_in_z():
    given = {
        "a": NAN,
        "b": math.inf,
        "c": datetime(2026, 1, 2, 3, tzinfo=UTC),
        "d": date(2026, 1, 2),
        "e": (np.float64(1.5), np.int64(2)),
        "f": None,
    }
    assert plain(given) == {
        "a": None,
        "b": None,
        "c": "2026-01-02T03:00:00Z",
        "d": "2026-01-02",
        "e": [1.5, 2],
        "f": None,
    }
