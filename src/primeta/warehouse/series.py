"""A metric over time in one slice, with the noise known from the customers behind each point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from primeta.facts import Grain, Provenance

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """A segment (attribute = value pairs) and, for messages, a channel. Empty: everybody."""

    segment: tuple[tuple[str, str], ...] = ()
    channel: str = ""

    @property
    def code(self) -> str:
        """`all`, `age=35-44`, `age=35-44&income=50-74K`, `channel=push`."""
        parts = [f"{name}={value}" for name, value in self.segment]
        if self.channel:
            parts.append(f"channel={self.channel}")
        return "&".join(parts) or "all"

    @property
    def parent(self) -> Slice | None:
        """One step up the tree: the channel goes first, then the last attribute."""
        if self.channel:
            return Slice(self.segment)
        if self.segment:
            return Slice(self.segment[:-1])
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One metric in one slice.

    `starts` (T,) datetime64[D], the first day of each finished period; `value`, `se`, `customers`
    (T,): the ratio of sums, its standard error over customers by the delta method (NaN where
    it cannot be known), customers in the denominator. `half_value`, `half_se` (2, T): the same in
    two halves of the customers by hash. A period without a denominator is NaN, never 0.
    """

    metric: str
    slice: Slice
    grain: Grain
    starts: npt.NDArray[np.datetime64]
    value: Floats
    se: Floats
    customers: Floats
    numerator: Floats
    denominator: Floats
    half_value: Floats
    half_se: Floats
    provenance: Provenance

    @property
    def key(self) -> tuple[str, str]:
        return self.metric, self.slice.code

    def until(self, last: date) -> Series:
        """The series as it was known when the period that starts on `last` had just ended."""
        keep = self.starts <= np.datetime64(last, "D")
        return Series(
            metric=self.metric,
            slice=self.slice,
            grain=self.grain,
            starts=self.starts[keep],
            value=self.value[keep],
            se=self.se[keep],
            customers=self.customers[keep],
            numerator=self.numerator[keep],
            denominator=self.denominator[keep],
            half_value=self.half_value[:, keep],
            half_se=self.half_se[:, keep],
            provenance=self.provenance,
        )
