"""Ids and attributes as the text that is hashed, in Python as the facts have it in SQL."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np


def value_text(value: Any) -> str:
    """A value as text: outer spaces go, an integral float loses its ".0"; empty where there is none.

    The same as `warehouse.mapping.canonical_value` of a text, with an empty text for null.
    """
    if value is None:
        return ""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    text = str(value)
    first, last = 0, len(text)
    # What DuckDB's trim takes away: separators, no tabs.
    while first < last and unicodedata.category(text[first]) == "Zs":
        first += 1
    while last > first and unicodedata.category(text[last - 1]) == "Zs":
        last -= 1
    return text[first:last]


def unit_text(value: Any) -> str:
    """An id as text: as `value_text`, and a text "12.0" that was a float once loses its ".0" too."""
    text = value_text(value)
    if not text.endswith(".0"):
        return text
    figures = text[:-2].removeprefix("-")
    return text[:-2] if figures.isascii() and figures.isdigit() else text
