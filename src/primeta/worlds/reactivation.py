"""A simulated lottery among lapsed customers whose truth is known: the world in which the ladder is tried.

Each customer has a type (returns by himself, is won back by a reminder, only by a discount, is only pulled forward,
learns to wait for discounts, left for bad quality, is a farm account, is lost), an own order rate, an own basket,
and his own luck, which is the same in every arm: so what he would have done in each of them is known. The truth is
`reactivation_truth.truth_of(setting)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from primeta.errors import BadInput
from primeta.worlds.reactivation_orders import Floats, Ints, Orders, Population, draw_population, orders_of
from primeta.worlds.reactivation_truth import Truth, truth_of
from primeta.worlds.reactivation_types import SETTINGS, Setting

START = date(2025, 1, 6)
HOUR = 9
"""Of the day, UTC, at which everybody is assigned."""
EXPERIMENT = "winback"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReactivationWorld:
    """One lottery and what came of it."""

    setting: Setting
    seed: int
    population: Population
    arm: Ints
    """(n,) index into `setting.arms`: what the lottery gave."""
    orders: Orders
    """Since the assignment and up to the horizon, whatever the log's end."""

    @property
    def n(self) -> int:
        return self.population.n

    @property
    def customer_ids(self) -> tuple[str, ...]:
        return ids_of(self.n)

    @property
    def until(self) -> date:
        """The last day of the log: the first assigned are then followed for `follow_days[1]`."""
        return START + timedelta(days=self.setting.follow_days[1])

    @property
    def until_full(self) -> date:
        """The last day of a log in which everybody lived through the horizon."""
        least, most = self.setting.follow_days
        return START + timedelta(days=most - least + self.setting.horizon_days)

    def followed(self, until: date | None = None) -> Floats:
        """(n,) days from each assignment to the end of the day `until` (default: the log's last)."""
        days = ((until or self.until) - START).days + 1
        return days - HOUR / 24 - self.population.entry.astype(np.float64)

    def assigned_at(self) -> list[datetime]:
        first = datetime(START.year, START.month, START.day, HOUR, tzinfo=UTC)
        return [first + timedelta(days=int(day)) for day in self.population.entry]

    def under(self, arm: str) -> Orders:
        """What everybody would have ordered in this arm."""
        place = [entry.name for entry in self.setting.arms].index(self.setting.arm(arm).name)
        return orders_of(self.population, np.full(self.n, place, dtype=np.int64))

    def truth(self) -> Truth:
        """Expected over all draws of the setting, not of this one."""
        return truth_of(self.setting)


@lru_cache(maxsize=8)
def ids_of(customers: int) -> tuple[str, ...]:
    """Ids in the order of the population."""
    return tuple(f"c{number:07d}" for number in range(customers))


def simulate_reactivation(
    setting: str | Setting, *, seed: int, customers: int | None = None
) -> ReactivationWorld:
    """One draw of a setting.

    Args:
        setting: A name of `SETTINGS`, or a setting of your own.
        seed: The same seed gives the same world, bit for bit.
        customers: In all arms together; default: the setting's own number.
    Raises:
        BadInput: no such setting, or a number below 1.
    """
    if isinstance(setting, str):
        if setting not in SETTINGS:
            raise BadInput(
                f"no world of reactivation is called {setting!r}; expected one of {', '.join(SETTINGS)}"
            )
        setting = SETTINGS[setting]
    many = setting.customers if customers is None else customers
    if many < 1:
        raise BadInput(f"a world needs at least 1 customer, {many} were asked for")
    if seed < 0:
        raise BadInput(f"the seed must be 0 or more, {seed} was given")
    population = draw_population(setting, customers=many, seed=seed)
    arm = population.dealt()
    return ReactivationWorld(
        setting=setting, seed=seed, population=population, arm=arm, orders=orders_of(population, arm)
    )
