"""Numbers as LOOK.md ("Numbers") prescribes them; its examples are the expected values."""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeta.show import locale

NBSP = "\u00a0"


def spaced(text: str) -> str:
    """Expected texts are written with plain spaces for reading."""
    return text.replace(" ", NBSP)


@pytest.mark.parametrize(("lang", "expected"), [("en", "+₽1.06m"), ("ru", spaced("+1,06 млн ₽"))])
def test_money_with_sign_as_in_the_look(lang, expected):
    got = locale.figure(1.06e6, lang, unit="money", low=0.55e6, high=1.56e6, currency="RUB", sign=True)
    assert got.text == expected
    assert got.interval == {"en": spaced("0.55 to 1.56"), "ru": "0,55…1,56"}[lang]


@pytest.mark.parametrize(("lang", "expected"), [("en", "₽314k"), ("ru", spaced("314 тыс. ₽"))])
def test_money_in_thousands_as_in_the_look(lang, expected):
    assert locale.money(314_000, lang, "RUB") == expected


@pytest.mark.parametrize(("lang", "expected"), [("en", "16.9%"), ("ru", "16,9%")])
def test_share_as_in_the_look(lang, expected):
    assert locale.percent(0.169, lang) == expected


@pytest.mark.parametrize(("lang", "expected"), [("en", "+2.7 pts"), ("ru", "+2,7 п. п.")])
def test_points_as_in_the_look(lang, expected):
    got = locale.figure(0.027, lang, unit="points", low=0.019, high=0.035, sign=True)
    assert got.text == spaced(expected)
    assert got.interval == {"en": spaced("1.9 to 3.5"), "ru": "1,9…3,5"}[lang]


def test_a_russian_sentence_says_from_and_to():
    assert locale.interval(0.55, 1.56, "ru", sentence=True) == f"от{NBSP}0,55 до{NBSP}1,56"


@pytest.mark.parametrize(("lang", "expected"), [("en", "16 Nov 2026"), ("ru", "16 ноября 2026")])
def test_date_as_in_the_look(lang, expected):
    assert locale.day(date(2026, 11, 16), lang) == spaced(expected)


@pytest.mark.parametrize(
    ("code", "lang", "expected"),
    [
        ("2026-W46", "en", "week 46"),
        ("2026-W46", "ru", "неделя 46"),
        ("2026-11", "ru", "ноя 2026"),
        ("2026-Q4", "en", "Q4 2026"),
        ("2026-Q4", "ru", "IV кв. 2026"),
    ],
)
def test_periods_as_in_the_look(code, lang, expected):
    assert locale.period_name(code, lang) == spaced(expected)


@pytest.mark.parametrize(
    ("low", "high", "decimals"),
    # Intervals of the look's pictures: 0.55–1.56, 1.6–4.2, 0.12–0.38, 381–423
    [(0.55, 1.56, 2), (1.6, 4.2, 1), (0.12, 0.38, 2), (381, 423, 0)],
)
def test_the_width_of_the_interval_sets_the_digits(low, high, decimals):
    assert locale.decimals_for(low, high) == decimals


def test_minus_is_a_true_minus_and_zero_has_no_sign():
    assert locale.number(-3.2, "en") == "−3.20"
    assert locale.number(-0.001, "en", digits=1, sign=True) == "0.0"


@pytest.mark.parametrize(("lang", "words"), [("en", "cannot tell"), ("ru", "сказать нельзя")])
def test_unknown_is_said_in_words_and_never_zero(lang, words):
    assert locale.number(math.nan, lang) == words
    assert locale.money(math.nan, lang, "USD") == words
    unknown = locale.figure(math.nan, lang, unit="share", low=0, high=1)
    assert (unknown.text, unknown.known, unknown.interval) == (words, False, "")


@pytest.mark.parametrize(
    ("currency", "lang", "symbol"),
    # CLDR symbols; the symbol of the country where the reader's language has none
    [
        ("RUB", "en", "₽"),
        ("USD", "ru", "$"),
        ("KZT", "en", "₸"),
        ("PLN", "ru", "zł"),
        ("CHF", "en", "CHF"),
        ("AED", "en", "AED"),
        ("EUR", "en", "€"),
    ],
)
def test_currency_symbols(currency, lang, symbol):
    assert locale.currency_symbol(currency, lang) == symbol


def test_a_time_is_shown_in_the_zone_of_the_workspace():
    # 20:59 UTC is 23:59 in Moscow, UTC+3 without summer time since 2014
    moment = datetime(2026, 11, 15, 20, 59, tzinfo=ZoneInfo("UTC"))
    assert (
        locale.moment(moment, "en", ZoneInfo("Europe/Moscow"))
        == spaced("15 Nov 2026,").replace(",", "") + ", 23:59"
    )
    assert locale.zone_name(ZoneInfo("Europe/Moscow"), "ru") == "Москва"


@given(
    value=st.floats(-1e13, 1e13, allow_nan=False),
    unit=st.sampled_from(["money", "share", "relative", "points", "count", "score"]),
    lang=st.sampled_from(["en", "ru"]),
)
def test_no_figure_breaks_over_a_line_or_carries_a_hyphen_minus(value, unit, lang):
    got = locale.figure(value, lang, unit=unit, low=value - 1, high=value + 2, currency="USD", sign=True)
    for text in (got.text, got.interval):
        assert " " not in text
        assert "-" not in text


@given(st.floats(1e-6, 1e12), st.floats(1e-6, 1e12))
def test_two_ends_of_an_interval_never_look_equal(low, width):
    high = low + width
    if high == low or width / low < 1e-6 or width < 1e-4:
        return
    assert locale.number(low, "en", digits=locale.decimals_for(low, high)) != locale.number(
        high, "en", digits=locale.decimals_for(low, high)
    )
