"""What is planted in a simulated company: trends, shocks and artefacts, and what each does to metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Kind = Literal["trend", "shock", "artefact"]
Parameter = Literal["order_rate", "basket", "price", "discount", "open", "unsubscribe", "copies", "tracking"]
Shape = Literal["abrupt", "gradual"]
Segment = tuple[tuple[str, str], ...]

CITIES: dict[str, dict[str, float]] = {
    "North": {"Aldersund": 0.10, "Brunmoor": 0.05, "Coldharbour": 0.03},
    "South": {"Delmare": 0.12, "Estrella": 0.08, "Figueral": 0.04},
    "East": {"Goldwin": 0.09, "Hartau": 0.06, "Ilmenried": 0.03},
    "West": {"Jasperton": 0.11, "Kilbrook": 0.07, "Lowmere": 0.04},
    "Centre": {"Marktstadt": 0.12, "Neuport": 0.06},
}
"""Region → city → share of customers."""
ATTRIBUTES: dict[str, dict[str, float]] = {
    "age": {"18-24": 0.13, "25-34": 0.24, "35-44": 0.22, "45-54": 0.17, "55-64": 0.14, "65+": 0.10},
    "prefers": {"web": 0.45, "app": 0.35, "store": 0.20},
    "source": {"search": 0.35, "social": 0.25, "referral": 0.15, "partner": 0.15, "walk-in": 0.10},
}
"""Attribute → value → share of customers, independent of each other and of the city."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a planted change does to one metric of its slice."""

    metric: str
    sign: int
    relative: float | None
    """Of the metric's expected value, from the generative model: .1 is +10%, once the change is
    complete. None: the direction follows from the model, the size was not derived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One change put into the company on purpose.

    A *trend* lasts to the end of the log; a *shock* of a week or two is shared by all; an
    *artefact* is a defect of one slice's data for one to three weeks. `factor` multiplies the parameter.
    """

    name: str
    kind: Kind
    parameter: Parameter
    factor: float
    starts: date
    ends: date | None = None
    """The first day after it; None for a trend."""
    segment: Segment = ()
    """Attribute–value pairs as in `Slice.segment`; empty for everybody."""
    shape: Shape = "abrupt"
    ramp_weeks: int = 0
    """A gradual change grows linearly over so many weeks."""
    effects: tuple[Effect, ...] = field(default=())

    @property
    def slice(self) -> str:
        """The code of the slice, as signals write it."""
        return "&".join(f"{name}={value}" for name, value in self.segment) or "all"

    @property
    def share(self) -> float:
        """Of customers in the slice, in the model."""
        share = 1.0
        named = dict(self.segment)
        if "city" in named:
            share *= CITIES[named["region"]][named["city"]]
        elif "region" in named:
            share *= sum(CITIES[named["region"]].values())
        for name, values in ATTRIBUTES.items():
            if name in named:
                share *= values[named[name]]
        return share

    def by_day(self, start: date, days: int) -> Floats:
        """(days,) what the parameter is multiplied with on each day from `start` on."""
        day = np.arange(days) - (self.starts - start).days
        progress = np.where(day >= 0, 1.0, 0.0)
        if self.shape == "gradual":
            # in weekly steps: the week's mean grows by the same amount from week to week
            progress *= np.minimum(1.0, (day // 7 + 1) / (self.ramp_weeks + 1))
        if self.ends is not None:
            progress *= day < (self.ends - self.starts).days
        return 1.0 + (self.factor - 1.0) * progress

    def as_dict(self) -> dict[str, object]:
        """One entry of the truth file."""
        complete = self.starts + timedelta(weeks=self.ramp_weeks)
        return {
            "name": self.name,
            "kind": self.kind,
            "parameter": self.parameter,
            "factor": self.factor,
            "slice": self.slice,
            "segment": [list(pair) for pair in self.segment],
            "share_of_customers": round(self.share, 6),
            "from": self.starts.isoformat(),
            "to": self.ends.isoformat() if self.ends else None,
            "shape": self.shape,
            "complete_from": complete.isoformat(),
            "effects": [
                {"metric": entry.metric, "sign": entry.sign, "relative": entry.relative}
                for entry in self.effects
            ],
        }


def effects_of(
    parameter: Parameter, factor: float, *, discounted_share: float, discount_share: float
) -> tuple[Effect, ...]:
    """What a factor on a parameter does to the metrics, in the model of `company.py`.

    The model keeps order rate, basket, price, taste for discounts and openness independent between customers,
    so a factor on one passes straight to its ratio. Metrics per customer of the last 365 days
    move by the factor at once; later their base grows or shrinks a little too.

    Args:
        discounted_share: Expected share of orders with a discount, before the change.
        discount_share: Expected discount / (revenue + discount), before the change.
    """
    change = factor - 1.0
    sign = 1 if change > 0 else -1

    def moved(*metrics: str, by: float | None = change, towards: int = sign) -> tuple[Effect, ...]:
        relative = None if by is None else round(by, 6)
        return tuple(Effect(metric=metric, sign=towards, relative=relative) for metric in metrics)

    if parameter == "order_rate":
        # visits follow the same daily rate; who orders more often comes back sooner and is silent less
        direct = moved(
            *("orders_per_customer", "revenue_per_customer", "margin_per_customer", "visits_per_customer")
        )
        sooner = moved(
            *("retention_7", "retention_30", "retention_90", "conversion", "reactivation_rate"),
            "categories_per_customer",
            by=None,
        )
        return direct + sooner + moved("churn", by=None, towards=-sign)
    if parameter == "basket":
        direct = moved(
            "items_per_order", "average_order_value", "revenue_per_customer", "margin_per_customer"
        )
        return direct + moved("categories_per_customer", by=None)
    if parameter == "price":
        return moved("average_order_value", "revenue_per_customer", "margin_per_customer")
    if parameter == "discount":
        full_price = -change * discounted_share / (1 - discounted_share)
        paid = -change * discount_share / (1 - discount_share)
        return (
            moved("discount_share")
            + moved("full_price_share", by=full_price, towards=-sign)
            + moved("average_order_value", "revenue_per_customer", by=paid, towards=-sign)
            + moved("margin_per_customer", by=None, towards=-sign)
        )
    if parameter == "open":
        return moved("open_rate", "click_rate")
    if parameter == "unsubscribe":
        return moved("unsubscribe_rate")
    if parameter == "copies":
        again = moved("retention_7", "retention_30", "retention_90", by=None)
        return moved("orders_per_customer", "revenue_per_customer", "margin_per_customer") + again
    # tracking: openings, their clicks and visits are not recorded
    return moved("open_rate", "click_rate", "visits_per_customer")


def draw_planted(
    rng: np.random.Generator,
    *,
    start: date,
    weeks: int,
    trends: int,
    shocks: int,
    artefacts: int,
) -> tuple[Planted, ...]:
    """Draw what to plant; effects are filled in by the company, which knows its own means.

    Trends start after the first year (a third of a shorter log) and at least 20 weeks (a quarter) before
    the end, on different pairs of parameter and slice. Onsets are Mondays.
    """
    first, last = min(52, weeks // 3), weeks - min(20, weeks // 4)
    planted: list[Planted] = []

    # each parameter with the smallest and the largest change that is planted, up and down
    sizes: dict[Parameter, tuple[float, float, tuple[int, ...]]] = {
        "order_rate": (0.08, 0.25, (1, -1)),
        "basket": (0.06, 0.18, (1, -1)),
        "price": (0.04, 0.12, (1,)),
        "discount": (0.15, 0.35, (1, -1)),
        "open": (0.10, 0.30, (1, -1)),
        "unsubscribe": (0.40, 1.00, (1,)),
    }
    parameters = list(sizes)
    taken: set[tuple[str, Segment]] = set()
    while len(planted) < trends:
        parameter = parameters[len(planted) % len(parameters)]
        segment = _draw_segment(rng, everybody=0.2)
        if (parameter, segment) in taken:
            continue
        taken.add((parameter, segment))
        low, high, signs = sizes[parameter]
        gradual = bool(rng.random() < 0.4)
        size = float(np.round(rng.uniform(low, high), 3)) * int(rng.choice(signs))
        planted.append(
            Planted(
                name=f"trend-{len(planted) + 1}",
                kind="trend",
                parameter=parameter,
                factor=round(1 + size, 3),
                starts=start + timedelta(weeks=int(rng.integers(first, last))),
                segment=segment,
                shape="gradual" if gradual else "abrupt",
                ramp_weeks=int(rng.integers(6, 14)) if gradual else 0,
            )
        )
    # an outage of the shop, a holiday, mail that does not arrive
    kinds: Sequence[tuple[Parameter, float, int]] = (
        ("order_rate", 0.55, 1),
        ("order_rate", 0.75, 2),
        ("open", 0.60, 1),
    )
    for number in range(shocks):
        parameter, factor, long = kinds[number % len(kinds)]
        starts = start + timedelta(weeks=int(rng.integers(first // 2, weeks - 2)))
        planted.append(
            Planted(
                name=f"shock-{number + 1}",
                kind="shock",
                parameter=parameter,
                factor=factor,
                starts=starts,
                ends=starts + timedelta(weeks=long),
            )
        )
    for number in range(artefacts):
        doubled = number % 2 == 0
        starts = start + timedelta(weeks=int(rng.integers(first, weeks - 3)))
        long = 1 if doubled else int(rng.integers(1, 4))
        planted.append(
            Planted(
                name=f"artefact-{number + 1}",
                kind="artefact",
                parameter="copies" if doubled else "tracking",
                factor=2.0 if doubled else 0.2,
                starts=starts,
                ends=starts + timedelta(weeks=long),
                segment=_draw_city(rng),
            )
        )
    return tuple(planted)


def _draw_segment(rng: np.random.Generator, *, everybody: float) -> Segment:
    if rng.random() < everybody:
        return ()
    attribute = str(rng.choice(["region", "city", *ATTRIBUTES]))
    if attribute == "city":
        return _draw_city(rng)
    values = list(CITIES) if attribute == "region" else list(ATTRIBUTES[attribute])
    return ((attribute, str(rng.choice(values))),)


def _draw_city(rng: np.random.Generator) -> Segment:
    region = str(rng.choice(list(CITIES)))
    return (("region", region), ("city", str(rng.choice(list(CITIES[region])))))
