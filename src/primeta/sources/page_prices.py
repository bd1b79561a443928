"""Prices and percents that stand in a line of a page, and how deep a discount is."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"\d{1,3}(?:[ .,'’]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_AFTER = r"(?:₽|руб(?:\.|лей|ля|ль)?|р\.|\$|€|£|¥|₸|₴|¤|(?:usd|eur|rub|gbp|kzt|byn)\b)"
PRICE = re.compile(rf"[$€£¥₽₸₴]\s?(?:{_NUMBER})|(?<![\d.,])(?:{_NUMBER})\s?{_AFTER}", re.IGNORECASE)
PERCENT = re.compile(r"(?<![\d.,])[-−–+]?\d+(?:[.,]\d+)?\s?%")
_STRUCK = re.compile(r"⟪([^⟫]{0,80})⟫")


@dataclass(frozen=True, slots=True)
class Price:
    """One price as it is written and what it comes to."""

    written: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What a card or a line costs."""

    prices: tuple[Price, ...]
    struck: tuple[Price, ...]
    """The struck ones: before the discount."""
    percents: tuple[str, ...]

    @property
    def depth(self) -> float | None:
        """Discount in percent of the struck price; None where there is none, or several prices."""
        if len(self.prices) != 1 or len(self.struck) != 1:
            return None
        price, before = self.prices[0].value, self.struck[0].value
        return 100 * (1 - price / before) if before > price else None


def tag_of(*lines: str) -> Tag:
    """The prices and percents of some lines, in order."""
    struck: list[Price] = []
    prices: list[Price] = []
    percents: list[str] = []
    for line in lines:
        for inside in _STRUCK.findall(line):
            struck += _prices(inside)
        rest = _STRUCK.sub(" ", line)
        prices += _prices(rest)
        percents += [
            found.replace(" ", "").replace("-", "−").replace("–", "−") for found in PERCENT.findall(rest)
        ]
    return Tag(prices=tuple(prices), struck=tuple(struck), percents=tuple(percents))


def without_numbers(line: str) -> str:
    """The line with its prices, percents and numbers as signs: two lines alike differ in figures only."""
    line = _STRUCK.sub(" ", line)
    line = PRICE.sub("$", line)
    line = PERCENT.sub("%", line)
    return " ".join(re.sub(r"\d+(?:[.,]\d+)*", "#", line).split()).casefold()


def words_of(line: str) -> str:
    """The line without its prices and percents."""
    line = PERCENT.sub(" ", PRICE.sub(" ", _STRUCK.sub(" ", line)))
    return " ".join(line.split()).strip(" -–—:;,·|()")


def shown(line: str) -> str:
    """A line as people read it: a struck price in brackets."""
    return " ".join(_STRUCK.sub(r"(\1)", line).replace("¤", "").split())


def _prices(text: str) -> list[Price]:
    return [
        Price(" ".join(found.replace("¤", "").split()), value)
        for found in PRICE.findall(text)
        if (value := _value(found)) is not None
    ]


def _value(written: str) -> float | None:
    digits = re.search(_NUMBER, written)
    if digits is None:
        return None
    number = re.sub(r"[ '’]", "", digits[0])
    # The last point or comma with one or two digits behind it is the decimal one; others part thousands.
    match = re.fullmatch(r"([\d.,]*?)[.,](\d{1,2})", number)
    whole, part = (match[1], match[2]) if match else (number, "0")
    whole = re.sub(r"[.,]", "", whole)
    return float(f"{whole}.{part}") if whole and len(whole) < 16 else None
