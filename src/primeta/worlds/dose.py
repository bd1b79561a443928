"""Lapsed customers whose answer to every delay, channel and discount is known, so that the best policy is known too.

A customer is of a segment and has a basket of his own size. Left alone, some never come back; the others do with a
constant hazard, which falls over the whole as those who would come leave the silent. A contact reaches only who is
silent still, and the longer he has been, the less: he comes at once with a probability that grows with the discount
(and, in some worlds, the need of a discount grows with the silence). Whoever comes within a week of a contact with a
discount takes it, though he would have come anyway. Then he orders at his own rate until the horizon; large discounts
lower the margin of what follows, for he learns to wait for them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shape = Literal["fading", "deepening", "loyal", "waiting", "flat", "steep", "patient"]
SHAPES: tuple[Shape, ...] = ("fading", "deepening", "loyal", "waiting", "flat", "steep", "patient")
REDEEM_DAYS = 7.0
RESPOND_DAYS = 2.0
"""Mean days from a contact to the order that it brings (uniform over twice as long)."""
SEGMENTS = ("casual", "loyal")
FIRST_DAY = datetime(2025, 1, 6, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseWorld:
    """How lapsed customers behave; two segments, casual and loyal.

    `shape` sets how the answer to a discount changes over time since lapse and between segments.
    """

    shape: Shape = "fading"
    horizon: int = 180
    margin: float = 0.4
    loyal: float = 0.4
    """Share of the second segment."""
    basket: float = 60.0
    """List price of an order in the mean."""
    spread: float = 0.5
    """Of the logarithm of an order's list price, half of its variance the customer's own."""
    never: tuple[float, float] = (0.75, 0.55)
    """Share of each segment that will not come by itself."""
    hazard: tuple[float, float] = (1 / 60, 1 / 30)
    """A day, of the others."""
    later: tuple[float, float] = (1 / 120, 1 / 50)
    """Orders a day after a return."""
    channels: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {"email": (0.8, 1.0), "push": (0.5, 1.3), "call": (1.6, 0.9)}
    )
    """Channel → how its answer compares, casual and loyal (a factor of the odds)."""
    contact_cost: float = 0.3

    # How a contact is answered

    def answer(
        self, segment: int, day: float, depth: float, channel: str = "email", *, again: str = ""
    ) -> float:
        """Probability that a silent customer comes because of a contact `day` days after the lapse.

        Args:
            again: The channel of an earlier contact that he left unanswered: the same one tires, another does not.
        """
        start = (-2.4, -1.8)[segment]
        gain, fade = (5.0, 4.0)[segment], 1 / 45
        if self.shape == "deepening":
            # early a word is enough, late only a discount helps
            gain, fade = (0.5 + 14.0 * min(day / 45, 1.0), 1 / 60)
            start -= 0.8 * min(day / 45, 1.0)
        elif self.shape == "loyal":
            gain = (9.0, 0.5)[segment]
        elif self.shape == "waiting":
            gain = (10.0, 3.0)[segment] * (1.0 if day > 10 else 0.1)
        elif self.shape == "flat":
            gain, fade = 0.6, 1 / 90
        elif self.shape == "steep":
            gain, fade = (13.0, 2.0)[segment], 1 / 40
            start -= 0.6
        odds = math.exp(start + gain * depth * (1 - 0.8 * depth)) * self.channels[channel][segment]
        if again:
            odds *= 0.5 if again == channel else 1.1
        share = odds / (1 + odds)
        if self.shape == "patient":
            # right after the lapse a message is not welcome yet
            share *= 1 - 0.85 * math.exp(-day / 7)
        return share * math.exp(-fade * day)

    def spoilt(self, depth: float) -> float:
        """Part of the margin of later orders that a discount of this depth costs, for those who took it."""
        return min((2.2 if self.shape == "waiting" else 0.8) * depth**1.5, 0.9)

    # The truth

    def value(
        self,
        segment: int,
        *,
        delay: float | None,
        depth: float = 0.0,
        channel: str = "email",
        then: tuple[float, str] | None = None,
        cost: float | None = None,
    ) -> float:
        """Expected money per customer over the horizon since the lapse, contact cost taken off.

        Args:
            delay: Days from the lapse to the contact; None: never.
            then: Day and channel of a second contact, for who is silent still.
        """
        cost = self.contact_cost if cost is None else cost
        contacts = [] if delay is None else [(float(delay), channel)]
        if then is not None:
            contacts.append(then)
        return self._expected(segment, contacts, depth, cost)[0]

    def discount(self, segment: int, *, delay: float, depth: float, channel: str = "email") -> float:
        """Expected discount given per customer."""
        return self._expected(segment, [(float(delay), channel)], depth, 0.0)[1]

    def returned(
        self, segment: int, *, delay: float | None, depth: float = 0.0, channel: str = "email"
    ) -> float:
        """Probability of an order within the horizon."""
        contacts = [] if delay is None else [(float(delay), channel)]
        return self._expected(segment, contacts, depth, 0.0)[2]

    def _expected(
        self, segment: int, contacts: list[tuple[float, str]], depth: float, cost: float
    ) -> tuple[float, float, float]:
        """Money, discount and probability of a return, by the law of total expectation over the day of return.

        Between contacts the day of a return by oneself is exponential among those who ever come; integrals of
        a linear function of the day over an exponential are closed.
        """
        m, b, h = self.margin, self.basket, float(self.horizon)
        silent_comers, silent_never = 1.0 - self.never[segment], self.never[segment]
        rate, later = self.hazard[segment], self.later[segment]
        money = given = came = 0.0

        def alone(start: float, end: float, comers: float, deal: float) -> float:
            """Those who come by themselves from `start` to `end`; what is left of the comers."""
            nonlocal money, given, came
            end = min(end, h)
            if end <= start:
                return comers
            share = -math.expm1(-rate * (end - start))
            # mean day of an exponential cut at `end`
            mean = start + 1 / rate - (end - start) * math.exp(-rate * (end - start)) / share
            n = comers * share
            money += n * (b * (m - deal) + later * (h - mean) * b * m * (1 - self.spoilt(deal)))
            given += n * b * deal
            came += n
            return comers - n

        day, before, deal_until = 0.0, "", 0.0
        for at, channel in contacts:
            silent_comers = alone(day, min(deal_until, at), silent_comers, depth)
            silent_comers = alone(max(day, min(deal_until, at)), at, silent_comers, 0.0)
            if at >= h:
                return money, given, came
            silent = silent_comers + silent_never
            money -= silent * cost
            q = self.answer(segment, at, depth, channel, again=before)
            n = silent * q
            # days to the order are uniform over [0, 2 · RESPOND_DAYS], cut at the horizon (contacts come earlier)
            mean = at + RESPOND_DAYS
            money += n * (b * (m - depth) + later * (h - mean) * b * m * (1 - self.spoilt(depth)))
            given += n * b * depth
            came += n
            silent_comers, silent_never = silent_comers * (1 - q), silent_never * (1 - q)
            day, before, deal_until = at, channel, at + REDEEM_DAYS
        silent_comers = alone(day, deal_until, silent_comers, depth if contacts else 0.0)
        alone(max(day, deal_until), h, silent_comers, 0.0)
        return money, given, came

    def shares(self) -> tuple[float, float]:
        return 1 - self.loyal, self.loyal

    def value_of_all(self, **action: Any) -> float:
        """`value` over both segments."""
        return sum(w * self.value(s, **action) for s, w in enumerate(self.shares()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lapses:
    """n simulated customers and their orders since the lapse; `order_*` are (m,), sorted by customer and day."""

    segment: Ints
    before: Floats
    """(n, 3): orders and revenue in the year before, days silent at the lapse."""
    delay: Floats
    """(n,) NaN: never contacted."""
    depth: Floats
    channel: npt.NDArray[np.object_]
    second: npt.NDArray[np.object_]
    """(n,) channel of the second contact, None: there was none."""
    second_day: float
    contacts: Floats
    """(n,) contacts made: who came before is not written to."""
    order_customer: Ints
    order_day: Floats
    order_list: Floats
    order_discount: Floats

    @property
    def n(self) -> int:
        return len(self.segment)

    def money(self, margin: float, horizon: float, cost: float) -> Floats:
        """(n,) margin of the orders within the horizon less contact cost."""
        within = self.order_day < horizon
        each = margin * self.order_list - self.order_discount
        return np.bincount(self.order_customer[within], each[within], minlength=self.n) - cost * self.contacts


def simulate_lapses(
    world: DoseWorld,
    *,
    segment: Ints,
    delay: Floats,
    depth: Floats,
    channel: Sequence[str] | npt.NDArray[Any],
    second: npt.NDArray[Any] | None = None,
    second_day: float = 14.0,
    rng: np.random.Generator,
) -> Lapses:
    """Customers treated as given; every random part is drawn for each, so that `DoseWorld.value` is the mean.

    Args:
        segment: (n,) 0 or 1. delay: (n,) days, NaN for never. depth: (n,). channel: (n,).
        second: (n,) channel of a second contact on `second_day` for who is silent then; None: none.
    """
    n = len(segment)
    channel = np.array(channel, dtype=object)
    never, hazard, later = (np.array(part)[segment] for part in (world.never, world.hazard, world.later))
    own = rng.standard_normal(n) * world.spread * math.sqrt(0.5)
    returned = np.where(rng.random(n) < never, np.inf, rng.exponential(1 / hazard))
    deal = np.zeros(n)
    contacts = np.zeros(n)
    redeem_from = np.full(n, np.inf)
    stages: list[tuple[Floats, npt.NDArray[Any], npt.NDArray[Any] | None]] = [(delay, channel, None)]
    if second is not None:
        wanted = np.array([entry is not None for entry in second])
        stages.append((np.where(wanted, second_day, np.nan), np.array(second, dtype=object), channel))
    alone = returned.copy()
    for number, (at, by, before) in enumerate(stages):
        reached = np.isfinite(at) & (at < world.horizon) & (returned >= np.nan_to_num(at, nan=np.inf))
        if number:
            second = np.array(by, dtype=object)
            second[~reached] = None
        contacts += reached
        chance = np.zeros(n)
        keys: list[Any] = [segment[reached], np.nan_to_num(at[reached]), depth[reached], by[reached]]
        keys.append(before[reached] if before is not None else np.full(int(reached.sum()), "", dtype=object))
        cache: dict[tuple[Any, ...], float] = {}
        answered = []
        for key in zip(*keys, strict=True):
            if key not in cache:
                s, day, d, name, again = key
                cache[key] = world.answer(
                    int(s), float(day), float(d), name, again=again if np.isfinite(delay).any() else ""
                )
            answered.append(cache[key])
        chance[reached] = answered
        comes = rng.random(n) < chance
        when = np.nan_to_num(at) + rng.uniform(0, 2 * RESPOND_DAYS, n)
        returned = np.where(comes & reached, when, returned)
        deal = np.where(comes & reached, depth, deal)
        redeem_from = np.where(reached, np.nan_to_num(at), redeem_from)
    took = (returned == alone) & (returned >= redeem_from) & (returned < redeem_from + REDEEM_DAYS)
    deal = np.where(took, depth, deal)
    came = returned < world.horizon
    count = np.where(came, rng.poisson(later * np.where(came, world.horizon - returned, 0.0)), 0)
    spoilt = np.array([world.spoilt(d) for d in deal]) if n < 64 else np.vectorize(world.spoilt)(deal)
    customer = np.concatenate([np.flatnonzero(came), np.repeat(np.arange(n), count)])
    firsts = int(came.sum())
    start = returned[customer[firsts:]]
    days = np.concatenate([returned[came], start + rng.random(len(start)) * (world.horizon - start)])
    noise = rng.standard_normal(len(customer)) * world.spread * math.sqrt(0.5)
    price = world.basket * np.exp(own[customer] + noise - world.spread**2 / 2)
    # what a spoilt customer saves on later orders is a discount on them, large enough to cost that much margin
    discount = np.concatenate([deal[came], world.margin * spoilt[customer[firsts:]]]) * price
    order = np.lexsort((days, customer))
    orders_before = 1 + rng.poisson(np.where(segment == 1, 5.0, 1.5))
    revenue_before = orders_before * world.basket * np.exp(own + 0.2 * rng.standard_normal(n))
    silent = rng.gamma(6.0, np.where(segment == 1, 8.0, 15.0))
    return Lapses(
        segment=segment,
        before=np.column_stack([orders_before, revenue_before, silent]).astype(np.float64),
        delay=delay,
        depth=depth,
        channel=channel,
        second=np.full(n, None, dtype=object) if second is None else second,
        second_day=second_day,
        contacts=contacts,
        order_customer=customer[order],
        order_day=days[order],
        order_list=price[order],
        order_discount=discount[order],
    )


def drawn_segments(world: DoseWorld, n: int, *, rng: np.random.Generator) -> Ints:
    return (rng.random(n) < world.loyal).astype(np.int64)


# As files


def order_rows(
    lapses: Lapses, *, until: float, start: datetime = FIRST_DAY, entry: Floats | None = None
) -> dict[str, list[Any]]:
    """Canonical columns of `orders`: those before the lapse, and those since, up to day `until` of the log.

    Args:
        entry: (n,) day of the log on which each lapses; default 0.
    """
    entry = np.zeros(lapses.n) if entry is None else entry
    rows: dict[str, list[Any]] = {
        name: [] for name in ("order_id", "customer_id", "ordered_at", "revenue", "discount")
    }
    number = itertools.count(1)

    def add(customer: int, day: float, price: float, discount: float) -> None:
        rows["order_id"].append(f"o{next(number)}")
        rows["customer_id"].append(f"c{customer}")
        rows["ordered_at"].append(start + timedelta(days=float(entry[customer] + day)))
        rows["revenue"].append(round(price - discount, 4))
        rows["discount"].append(round(discount, 4))

    for customer in range(lapses.n):
        count, revenue, silent = lapses.before[customer]
        for k in range(int(count)):
            add(customer, -silent - 20.0 * k, revenue / count, 0.0)
    for customer, day, price, discount in zip(
        lapses.order_customer, lapses.order_day, lapses.order_list, lapses.order_discount, strict=True
    ):
        if entry[customer] + day < until:
            add(int(customer), float(day), float(price), float(discount))
    return rows
