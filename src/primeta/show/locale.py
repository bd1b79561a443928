"""Numbers, money, intervals and dates as Russian and English readers write them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_timezone_location
from babel.numbers import format_decimal, get_currency_symbol

Language = Literal["en", "ru"]
LANGUAGES: tuple[Language, ...] = ("en", "ru")
Unit = Literal["money", "share", "relative", "points", "count", "score"]
"""`share` .169 is 16.9%; `relative` .029 is +2.9%; `points` .027 is +2.7 points of a share."""

NBSP = "\u00a0"
MINUS = "−"
SCALES = {
    "en": ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"), (1.0, "")),
    "ru": ((1e12, "трлн"), (1e9, "млрд"), (1e6, "млн"), (1e3, "тыс."), (1.0, "")),
}
COMPACT_FROM = 10_000.0
SMALLEST_PERCENT = 0.01
CANNOT_TELL = {"en": "cannot tell", "ru": "сказать нельзя"}
POINTS = {"en": "pts", "ru": "п." + NBSP + "п."}
MONTHS_RU = ("янв", "фев", "марта", "апр", "мая", "июня", "июля", "авг", "сент", "окт", "нояб", "дек")
MONTH_HEADS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "ru": ("янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"),
}
QUARTERS = {"en": ("Q1", "Q2", "Q3", "Q4"), "ru": ("I", "II", "III", "IV")}


def is_language(text: str | None) -> bool:
    """True for a language that Primeta speaks."""
    return text in LANGUAGES


def decimals_for(low: float, high: float) -> int:
    """Decimals that an interval's width bears: two digits of it, three where it starts with 1.0–1.4."""
    width = abs(high - low)
    if not math.isfinite(width) or width == 0:
        return 1
    power = math.floor(math.log10(width))
    digits = 1 - power + (1 if width / 10**power < 1.5 else 0)
    return min(max(digits, 0), 6)


def decimals_alone(value: float, *, most: int = 3) -> int:
    """Decimals of a number that stands without an interval: three digits in all."""
    if value == 0 or not math.isfinite(value):
        return 0
    return min(max(2 - math.floor(math.log10(abs(value))), 0), most)


def number(value: float, lang: str, *, digits: int | None = None, sign: bool = False) -> str:
    """`1,214` or `1 214`; a true minus, a decimal comma in Russian, no-break spaces."""
    if not math.isfinite(value):
        return CANNOT_TELL[lang]
    if digits is None:
        digits = 0 if float(value).is_integer() else decimals_alone(value)
    rounded = round(value, digits) + 0.0
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    text = format_decimal(abs(rounded), pattern, locale=lang)
    if rounded < 0:
        return MINUS + text
    return "+" + text if sign and rounded > 0 else text


def percent(value: float, lang: str, *, digits: int | None = None, sign: bool = False) -> str:
    """.169 → `16.9%`, `16,9%`."""
    if not math.isfinite(value):
        return CANNOT_TELL[lang]
    scaled = value * 100
    if digits is None:
        if 0 < abs(scaled) < SMALLEST_PERCENT:
            least = number(math.copysign(SMALLEST_PERCENT, scaled), lang, digits=2, sign=sign)
            return f"<{NBSP}{least}%"
        digits = min(decimals_alone(scaled), 2) if not float(round(scaled, 6)).is_integer() else 0
    return number(scaled, lang, digits=digits, sign=sign) + "%"


def points(value: float, lang: str, *, digits: int | None = None, sign: bool = True) -> str:
    """.027 → `+2.7 pts`, `+2,7 п. п.`"""
    if not math.isfinite(value):
        return CANNOT_TELL[lang]
    scaled = value * 100
    digits = min(decimals_alone(scaled), 2) if digits is None else digits
    return number(scaled, lang, digits=digits, sign=sign) + NBSP + POINTS[lang]


@lru_cache(maxsize=256)
def currency_symbol(currency: str, lang: str) -> str:
    """`₽` for RUB: the reader's own symbol, else the one used where the money comes from, else the code."""
    symbol = get_currency_symbol(currency, locale=lang)
    if symbol != currency:
        return symbol
    try:
        # The first two letters of an ISO 4217 code are the country.
        symbol = get_currency_symbol(currency, locale=Locale.parse("und_" + currency[:2]))
    except (UnknownLocaleError, ValueError):
        return currency
    right_to_left = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in symbol)
    return currency if right_to_left or len(symbol) > 3 else symbol


def _scale(values: Iterable[float], lang: str) -> tuple[float, str]:
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest < COMPACT_FROM:
        return 1.0, ""
    return next((size, word) for size, word in SCALES[lang] if largest >= size)


def money_size(value: float) -> float:
    """What `money` divides by before it writes a number: 1, a thousand, a million …"""
    return _scale((value,), "en")[0]


def _money_text(text: str, word: str, symbol: str, lang: str) -> str:
    if lang == "ru":
        return text + (NBSP + word if word else "") + NBSP + symbol
    lead = text[0] if text[0] in "+" + MINUS else ""
    space = NBSP if symbol[-1].isalpha() else ""
    return lead + symbol + space + text[len(lead) :] + word


def money(value: float, lang: str, currency: str, *, digits: int | None = None, sign: bool = False) -> str:
    """`+₽1.06m`, `+1,06 млн ₽`; thousands, millions and so on from 10,000."""
    if not math.isfinite(value):
        return CANNOT_TELL[lang]
    size, word = _scale((value,), lang)
    scaled = value / size
    if digits is None:
        digits = 0 if float(scaled).is_integer() else min(decimals_alone(scaled), 2)
    text = number(scaled, lang, digits=digits, sign=sign)
    return _money_text(text, word, currency_symbol(currency, lang), lang)


def interval(low: float, high: float, lang: str, *, digits: int | None = None, sentence: bool = False) -> str:
    """`0.55 to 1.56`, `0,55…1,56`; in a Russian sentence `от 0,55 до 1,56`."""
    digits = decimals_for(low, high) if digits is None else digits
    first, last = number(low, lang, digits=digits), number(high, lang, digits=digits)
    if lang == "en":
        return f"{first}{NBSP}to{NBSP}{last}"
    return f"от{NBSP}{first} до{NBSP}{last}" if sentence else f"{first}…{last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its interval, as text: `+₽11.4m` and `−2.1 to 24.8`."""

    text: str
    interval: str = ""
    known: bool = True

    def __str__(self) -> str:
        return f"{self.text} ({self.interval})" if self.interval else self.text


def figure(
    value: float,
    lang: str,
    *,
    unit: Unit,
    low: float = math.nan,
    high: float = math.nan,
    currency: str = "",
    sign: bool = False,
) -> Figure:
    """A value and its interval in one scale; the interval's width sets the digits of both.

    Args:
        value: In its own unit: money, a share as .169, a relative change as .029, points as .027.
        low, high: The interval in the same unit; NaN where there is none.
    """
    if not math.isfinite(value):
        return Figure(text=CANNOT_TELL[lang], known=False)
    bounded = math.isfinite(low) and math.isfinite(high)
    size, word = 1.0, ""
    if unit in ("share", "relative", "points"):
        size = 0.01
    elif unit == "money":
        size, word = _scale((value, low, high), lang)
    digits: int | None
    if bounded:
        digits = decimals_for(low / size, high / size)
        if unit in ("share", "relative", "points"):
            digits = min(digits, 2)
    else:
        digits = None
    if unit == "money":
        if digits is None:
            text = money(value, lang, currency, sign=sign)
        else:
            plain = number(value / size, lang, digits=digits, sign=sign)
            text = _money_text(plain, word, currency_symbol(currency, lang), lang)
    elif unit in ("share", "relative"):
        text = percent(value, lang, digits=digits, sign=sign)
    elif unit == "points":
        text = points(value, lang, digits=digits, sign=sign)
    else:
        text = number(value, lang, digits=digits, sign=sign)
    between = interval(low / size, high / size, lang, digits=digits) if bounded else ""
    return Figure(text=text, interval=between)


def day(value: date, lang: str) -> str:
    """`16 Nov 2026`, `16 ноября 2026`."""
    pattern = "d MMM y" if lang == "en" else "d MMMM y"
    return format_date(value, pattern, locale=lang).replace(" ", NBSP).replace("Sept", "Sep")


def day_short(value: date, lang: str) -> str:
    """`15 Nov`, `15 нояб`: where the year is plain from the place."""
    if lang == "ru":
        return f"{value.day}{NBSP}{MONTHS_RU[value.month - 1]}"
    return f"{value.day}{NBSP}{MONTH_HEADS['en'][value.month - 1]}"


def day_long(value: date, lang: str) -> str:
    """`Monday, 16 November 2026`, `Понедельник, 16 ноября 2026`."""
    text = format_date(value, "EEEE, d MMMM y", locale=lang)
    return text[0].upper() + text[1:]


def days_between(first: date, last: date, lang: str) -> str:
    """`9–15 Nov`, `28 Dec – 3 Jan`: a span of days, both included."""
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day_short(last, lang)}"
    return f"{day_short(first, lang)}{NBSP}–{NBSP}{day_short(last, lang)}"


def moment(value: datetime, lang: str, zone: tzinfo) -> str:
    """`15 Nov 2026, 23:59` in the given zone; a time without a zone is taken to be in it."""
    local = value.astimezone(zone) if value.tzinfo else value
    return f"{day(local.date(), lang)}, {local:%H:%M}"


def zone_name(zone: ZoneInfo, lang: str) -> str:
    """`Moscow`, `Москва`; a zone that is no city stays as it is."""
    name = get_timezone_location(zone, locale=lang, return_city=True)
    return str(name) if name and not str(name).startswith("Unknown") else zone.key


def period_name(code: str, lang: str) -> str:
    """`2026-W46` → `week 46`, `неделя 46`; `2026-11` → `Nov 2026`; `2026-Q4` → `Q4 2026`, `IV кв. 2026`."""
    head = period_head(code, lang)
    year = code[:4]
    if "-W" in code:
        return ("week" if lang == "en" else "неделя") + NBSP + head
    if "-Q" in code and lang == "ru":
        return f"{head}{NBSP}кв.{NBSP}{year}"
    return f"{head}{NBSP}{year}"


def period_head(code: str, lang: str) -> str:
    """The head of a column: `46`, `Nov` or `ноя`, `Q4` or `IV`."""
    rest = code[5:]
    if rest.startswith("W"):
        return str(int(rest[1:]))
    if rest.startswith("Q"):
        return QUARTERS[lang][int(rest[1:]) - 1]
    return MONTH_HEADS[lang][int(rest) - 1]


BET_TOLD = 10_000
"""Bets beyond it rest on the fitted tail of a simulated law: their size says no more than "very strong"."""


def bet(e_value: float, lang: str) -> str:
    """Evidence as what a fair bet has become: `×96`, `×3.1`, `> ×10,000`."""
    if math.isnan(e_value):
        return CANNOT_TELL[lang]
    if e_value > BET_TOLD:
        return f">{NBSP}×" + number(BET_TOLD, lang, digits=0)
    return "×" + number(e_value, lang, digits=1 if e_value < 9.95 else 0)


ATTRIBUTES_RU = {
    "age": "возраст",
    "channel": "канал",
    "city": "город",
    "gender": "пол",
    "home": "жильё",
    "household_size": "человек в семье",
    "income": "доход",
    "joined": "пришли в",
    "kids": "дети",
    "language": "язык",
    "programme": "механика",
    "region": "регион",
    "segment": "сегмент",
    "sex": "пол",
    "source": "источник",
    "store": "магазин",
    "tariff": "тариф",
    "tenure": "стаж",
}
"""Attributes are the team's own words; the commonest ones are read out in Russian."""


def slice_name(code: str, lang: str) -> str:
    """`age=35-44&channel=push` → `age 35–44, channel push`; `all` → `everybody`."""
    if code in ("", "all"):
        return {"en": "everybody", "ru": "все клиенты"}[lang]
    if code == "texts":
        return {"en": "texts", "ru": "тексты"}[lang]
    parts: list[str] = []
    for entry in code.split("&"):
        name, _, value = entry.partition("=")
        named = ATTRIBUTES_RU.get(name, name) if lang == "ru" else name
        # A hyphen between figures is a span, between words it is a hyphen.
        value = re.sub(r"(?<=\d)-(?=\d)", "–", value)
        parts.append(f"{named.replace('_', ' ')} {value}".strip())
    return ", ".join(parts)


def topic_name(about: str, lang: str) -> str:
    """`topic:push, unread` → `“push, unread”`; empty where a signal is about no topic."""
    if not about.startswith("topic:"):
        return ""
    words = about.removeprefix("topic:")
    return {"en": f"“{words}”", "ru": f"«{words}»"}[lang]


NUMBER_WORDS = {
    "en": ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    "ru": ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"),
}
GENDERED_RU = {("f", 1): "одна", ("f", 2): "две", ("o", 1): "одно"}


def spelled(value: int, lang: str, gender: str = "m") -> str:
    """A number up to ten as a word, in masculine, feminine or neuter (`m`, `f`, `o`); else as digits."""
    if not 0 <= value <= 10:
        return number(value, lang, digits=0)
    if lang == "ru" and (gender, value) in GENDERED_RU:
        return GENDERED_RU[gender, value]
    return NUMBER_WORDS[lang][value]


def listed(words: Iterable[str], lang: str) -> str:
    """`a, b and c`, `a, b и c`."""
    entries = list(words)
    if len(entries) < 2:
        return "".join(entries)
    return ", ".join(entries[:-1]) + {"en": " and ", "ru": " и "}[lang] + entries[-1]
