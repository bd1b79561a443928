"""What lapsed customers did before they were assigned: orders at their own rate, the last one long enough ago."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from primeta.worlds.reactivation_orders import (
    SECONDS,
    Floats,
    Ints,
    Population,
    lapses_after,
    stream,
)

TENURE_DAYS = 300.0
"""Mean of what lies between a customer's first order and his last, if he ordered long enough."""
LONGEST_DAYS = 1_000.0
FARM_DAYS = 30.0
"""A farm's accounts are made within a few days, so long before they are assigned."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """Orders before the assignment, h rows; times in days since it, below 0, in whole seconds."""

    who: Ints
    at: Floats
    list_price: Floats
    discount: Floats
    registered: Floats
    """(n,) when each came to know us."""


def history_of(population: Population) -> History:
    """Orders before the assignment of everybody, in order of customer and time."""
    setting, n = population.setting, population.n
    luck = stream(population.seed, 2)
    farm = np.array([kind.farm for kind in setting.types])[population.kind]
    silence = lapses_after(setting, population.rate) + 7 * luck.random(n)
    silence = np.where(farm, FARM_DAYS + luck.integers(0, 4, n) + luck.random(n), silence)
    tenure = np.where(farm, 0.0, np.minimum(TENURE_DAYS * luck.standard_exponential(n), LONGEST_DAYS))
    markdown = np.array([kind.later.markdown for kind in setting.types])[population.kind]
    depth = np.array([kind.later.markdown_depth for kind in setting.types])[population.kind]
    spread = setting.basket_spread[1]
    who, at = np.arange(n), -silence
    rows: list[tuple[Ints, Floats, Floats, Floats]] = []
    while len(who):
        price, coin = luck.standard_normal(n)[who], luck.random(n)[who]
        listed = np.round(population.basket[who] * np.exp(spread * price - spread**2 / 2), 2)
        discount = np.round(listed * np.where(coin < markdown[who], depth[who], 0.0), 2)
        rows.append((who, np.floor(at * SECONDS) / SECONDS, listed, discount))
        gap = luck.standard_gamma(setting.regularity, n)[who] / (setting.regularity * population.rate[who])
        at = at - gap
        keep = at > -(silence + tenure)[who]
        who, at = who[keep], at[keep]
    columns = [np.concatenate(column) for column in zip(*rows)]
    order = np.lexsort((columns[1], columns[0]))
    whose, when, listed, discount = (column[order] for column in columns)
    first = np.full(n, np.inf)
    np.minimum.at(first, whose, when)
    return History(
        who=whose,
        at=when,
        list_price=listed,
        discount=discount,
        registered=np.floor((first - 5 - luck.random(n)) * SECONDS) / SECONDS,
    )
