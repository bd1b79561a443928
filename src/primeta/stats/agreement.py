"""Agreement between raters who each saw some of the units, and the interval of a share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Scale = Literal["nominal", "ordinal"]


def krippendorff_alpha(units: Sequence[Sequence[int]], *, values: int, scale: Scale = "ordinal") -> float:
    """1: they agree in all; 0: no more than by chance; below 0: less than by chance.

    Args:
        units: For each unit the codes 0 … values − 1 that raters gave it, in any order; units with one say nothing.
        values: How many codes there are; on an ordinal scale in their order.
    Returns:
        NaN where fewer than two raters met on any unit, or all of them gave one and the same code.
    Source:
        Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: coincidences, and the difference functions of
        nominal and ordinal data.
    """
    coincidences = np.zeros((values, values))
    for codes in units:
        if len(codes) < 2:
            continue
        counts = np.bincount(np.asarray(codes, dtype=np.int64), minlength=values).astype(float)
        pairs = np.outer(counts, counts) - np.diag(counts)
        coincidences += pairs / (len(codes) - 1)
    of_code = coincidences.sum(axis=1)
    total = of_code.sum()
    if total == 0:
        return math.nan
    apart = _differences(of_code, scale)
    expected = float((np.outer(of_code, of_code) * apart).sum())
    if expected == 0:
        return math.nan
    return 1 - (total - 1) * float((coincidences * apart).sum()) / expected


def _differences(of_code: Floats, scale: Scale) -> Floats:
    """(values, values) squared differences between codes."""
    many = len(of_code)
    if scale == "nominal":
        return 1 - np.eye(many)
    middle = np.cumsum(of_code) - of_code / 2
    return (middle[:, None] - middle[None, :]) ** 2


def wilson_interval(share: float, many: float, *, z: float = 1.959963984540054) -> tuple[float, float]:
    """Interval of a share seen among `many` independent units; NaN where there are none.

    Source: Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.
    """
    if not many > 0:
        return math.nan, math.nan
    spread = z * z / many
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / many + spread / (4 * many)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
