"""A simulated company whose truth is known: customers, orders, lines, visits, messages, reactions.

The model, in short (all draws independent unless said otherwise):

- Customers arrive at a constant rate; at the start there is the stationary population of those who
  arrived in the five years before and are still on the mailing lists, which are cleaned half a year after a
  customer left.
- A customer orders at a rate λ ~ Gamma until he leaves; his hazard of leaving μ ~ Gamma (Pareto/NBD:
  Schmittlein, Morrison & Colombo 1987). Gaps between orders are exponential or, for the regular, Erlang-3,
  in operational time: a stationary renewal process whose clock runs at the day's rate (season,
  weekday, promotions with pull-forward, what is planted), so the expected orders of a day are λ × rate.
- Lines per order, prices, the taste for discounts and openness are independent of λ and of each other: a
  factor planted on one moves its ratio by just that factor.
- People drift: a customer's rate, basket, taste and openness each wander slowly around their own mean
  (an AR(1) over four-week blocks, with mean 1), so a small slice moves although nothing was planted.
- Subscribers get a message every four weeks and one at each promotion; openness falls with
  fatigue (exp(−fatigue), one unit a message, fading in two weeks); opt-outs end messages; some mail
  programs open everything by machine. Messages do not change orders.

Everything is computed in cells of 4,096 customers with random numbers of their own, so the same seed
gives bit-identical rows however the work is cut, and a larger company begins with the smaller one's cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from primeta.errors import BadInput
from primeta.worlds.calendar import Calendar, Promotion, draw_promotions, make_calendar
from primeta.worlds.cell import (
    CELL,
    DEPTH_SHARES,
    DEPTHS,
    DISCOUNT_A,
    DISCOUNT_B,
    MOST_DISCOUNTED,
    make_cell,
)
from primeta.worlds.planted import Effect, Planted, draw_planted, effects_of

TABLES = ("customers", "orders", "order_lines", "messages", "reactions", "visits")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """A simulated company; its rows are made when they are asked for."""

    customers: int
    seed: int
    weeks: int
    start: date
    planted: tuple[Planted, ...]
    promotions: tuple[Promotion, ...]
    calendar: Calendar

    @property
    def days(self) -> int:
        return self.weeks * 7

    @property
    def end(self) -> date:
        """The first day after the log."""
        return self.start + timedelta(days=self.days)

    def cells(self) -> int:
        """Cells of up to 4,096 customers; each is made on its own."""
        return -(-self.customers // CELL)

    def tables(self, cells: Sequence[int] | None = None) -> dict[str, pa.Table]:
        """The canonical tables of some cells (default: all), ordered by customer and time."""
        made = [make_cell(self, number) for number in (range(self.cells()) if cells is None else cells)]
        return {name: pa.concat_tables([tables[name] for tables in made]) for name in TABLES}

    def truth(self) -> dict[str, object]:
        """The document of `truth.json`."""
        return {
            "version": 1,
            "customers": self.customers,
            "seed": self.seed,
            "weeks": self.weeks,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "planted": [entry.as_dict() for entry in self.planted],
        }


def simulate_company(
    *,
    customers: int,
    seed: int,
    weeks: int = 156,
    start: date = date(2023, 1, 2),
    trends: int = 8,
    shocks: int = 3,
    artefacts: int = 4,
    planted: Sequence[Planted] | None = None,
) -> World:
    """A company of so many customers over so many weeks, with changes planted in it.

    Args:
        customers: At least 1: those there at the start and those who arrive later, together.
        seed: The same seed gives the same company, bit for bit.
        weeks: Length of the log, 12 to 520.
        start: A Monday.
        trends, shocks, artefacts: How many changes of each kind to draw.
        planted: These instead of drawn ones; their effects are computed anew.
    Raises:
        BadInput: an argument outside its bounds.
    """
    if customers < 1:
        raise BadInput(f"a company needs at least 1 customer, {customers} were asked for")
    if seed < 0:
        raise BadInput(f"the seed must be 0 or more, {seed} was given")
    if not 12 <= weeks <= 520:
        raise BadInput(f"a log of 12 to 520 weeks can be made, {weeks} were asked for")
    if start.weekday():
        raise BadInput(f"the log must start on a Monday, {start} is none")
    if min(trends, shocks, artefacts) < 0:
        raise BadInput("the numbers of trends, shocks and artefacts must be 0 or more")
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 0))))
    promotions = draw_promotions(rng, start=start, weeks=weeks)
    drawn = draw_planted(rng, start=start, weeks=weeks, trends=trends, shocks=shocks, artefacts=artefacts)
    chosen = drawn if planted is None else tuple(planted)
    calendar = make_calendar(chosen, promotions, start=start, days=weeks * 7)
    return World(
        customers=customers,
        seed=seed,
        weeks=weeks,
        start=start,
        planted=tuple(replace(entry, effects=_effects(entry, calendar)) for entry in chosen),
        promotions=promotions,
        calendar=calendar,
    )


def expected_shares(calendar: Calendar) -> tuple[float, float]:
    """(share of orders with a discount, discount / list value) over the log, with nothing planted."""
    promoted = float(np.average(calendar.discounts, weights=calendar.rate))
    discounted = MOST_DISCOUNTED * DISCOUNT_A / (DISCOUNT_A + DISCOUNT_B) * promoted
    return discounted, discounted * float(np.dot(DEPTHS, DEPTH_SHARES))


def _effects(entry: Planted, calendar: Calendar) -> tuple[Effect, ...]:
    discounted, discount = expected_shares(calendar)
    return effects_of(entry.parameter, entry.factor, discounted_share=discounted, discount_share=discount)
