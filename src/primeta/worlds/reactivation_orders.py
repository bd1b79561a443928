"""Lapsed customers and what they order, drawn so that every arm meets the same customer with the same luck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.worlds.reactivation_types import Later, Setting, comes_back, pull

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SECONDS = 86_400
LAPSE_DAYS = (21.0, 120.0)
"""The shortest and the longest silence that anybody is given before he counts as lapsed."""
MOST_ORDERS = 400
"""Orders of one customer within the horizon, far above what any setting reaches."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """n lapsed customers, before anything is done to them."""

    setting: Setting
    seed: int
    kind: Ints
    """(n,) index into `setting.types`."""
    rate: Floats
    """(n,) own orders per day."""
    basket: Floats
    """(n,) mean list price of his orders."""
    entry: Ints
    """(n,) days from the first assignment of all to his."""
    lot: Floats
    """(n,) in [0, 1): the lottery."""
    patience: Floats
    """(n,) Exp(1): the luck behind the time of his return."""

    @property
    def n(self) -> int:
        return len(self.kind)

    def dealt(self) -> Ints:
        """(n,) the arm that the lottery gave."""
        edges = np.cumsum([arm.share for arm in self.setting.arms])[:-1]
        return np.searchsorted(edges, self.lot, side="right").astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Orders:
    """Orders since the assignment and up to the horizon, m rows, and messages, l rows."""

    who: Ints
    at: Floats
    """Days since his assignment, in whole seconds."""
    place: Ints
    """0 for the first since the assignment."""
    list_price: Floats
    discount: Floats
    with_code: npt.NDArray[np.bool_]
    back_at: Floats
    """When the goods came back, in days since the assignment; infinite: never."""
    returned_at: Floats
    """(n,) first order since the assignment; infinite: none within the horizon."""
    message_who: Ints
    message_at: Floats
    message_arm: Ints
    again_who: Ints
    """Lapsed again and met his arm again, where the setting has it so."""
    again_at: Floats

    @property
    def revenue(self) -> Floats:
        return self.list_price - self.discount


def stream(seed: int, purpose: int) -> np.random.Generator:
    """Random numbers of one purpose: no purpose ever takes another's."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 4_000 + purpose))))


def draw_population(setting: Setting, *, customers: int, seed: int) -> Population:
    """So many customers of a setting."""
    rng = stream(seed, 0)
    shares = np.cumsum([kind.share for kind in setting.types])[:-1]
    kind = np.searchsorted(shares, rng.random(customers), side="right").astype(np.int64)
    shape, scale = setting.rate
    between = setting.basket_spread[0]
    factor = np.array([entry.basket for entry in setting.types])[kind]
    least, most = setting.follow_days
    return Population(
        setting=setting,
        seed=seed,
        kind=kind,
        rate=rng.standard_gamma(shape, customers) / scale,
        basket=setting.basket * factor * np.exp(between * rng.standard_normal(customers) - between**2 / 2),
        entry=rng.integers(0, most - least + 1, customers),
        lot=rng.random(customers),
        patience=rng.standard_exponential(customers),
    )


def lapses_after(setting: Setting, rate: Floats) -> Floats:
    """Days of silence after which a customer counts as lapsed: those that his own rate makes unlikely.

    At a Poisson rate λ, P(no order for t days) = exp(−λt) falls to 5% at t = 3 / λ.
    """
    return np.clip(3.0 / rate, *LAPSE_DAYS)


def _of_types(population: Population, value: list[float]) -> Floats:
    return np.array(value, dtype=np.float64)[population.kind]


class _Clock:
    """Operational time since each customer's assignment, whose hands go at the season's pace, and back to days."""

    def __init__(self, population: Population) -> None:
        setting = population.setting
        self._season = bool(setting.season)
        if self._season:
            days = int(population.entry.max(initial=0)) + 3 * setting.horizon_days + 1
            pace = np.resize(np.array(setting.season), days)
            self._day = np.arange(days + 1, dtype=np.float64)
            self._passed = np.concatenate([[0.0], np.cumsum(pace)])
            self._entry = population.entry.astype(np.float64)
            self._start = self._passed[population.entry]

    def days(self, who: Ints, hands: Floats) -> Floats:
        """Days since the assignment, in whole seconds, so that files hold exactly what arrays hold."""
        if not self._season:
            return _seconds(hands)
        at = np.interp(self._start[who] + hands, self._passed, self._day, right=np.inf)
        return _seconds(at - self._entry[who])

    def hands(self, who: Ints, days: Floats) -> Floats:
        if not self._season:
            return days
        return np.interp(self._entry[who] + days, self._day, self._passed) - self._start[who]


def orders_of(population: Population, arm: Ints) -> Orders:
    """What the customers order up to the horizon when each is given the arm `arm` (n,) (index of `setting.arms`).

    A customer's luck (patience, gaps, baskets, redemption, leaving) is the same in every arm.
    """
    setting, n = population.setting, population.n
    arms, types = setting.arms, setting.types
    comes = np.array([[comes_back(kind, entry) for entry in arms] for kind in types])[population.kind, arm]
    pulled = np.array([[pull(kind, entry) for entry in arms] for kind in types])[population.kind, arm]
    mean_days = _of_types(population, [kind.mean_days for kind in types])
    time, everybody = _Clock(population), np.arange(n)
    origin = population.patience * mean_days
    first = np.where(comes, time.days(everybody, origin * pulled), np.inf)
    first = np.where(first < setting.horizon_days, first, np.inf)

    base = [kind.later for kind in types]
    instead = [kind.after_code or kind.later for kind in types]
    luck = stream(population.seed, 1)
    learns = np.array([kind.after_code is not None for kind in types])[population.kind]
    leaves = _leaving(population, luck, base), _leaving(population, luck, instead)
    leaves = leaves[0], np.where(learns, leaves[1], leaves[0])
    depth = np.array([entry.depth for entry in arms])[arm]
    code_days = np.array([entry.code_days for entry in arms])[arm]
    redeems = _of_types(population, [kind.redeems for kind in types])
    lapses = lapses_after(setting, population.rate)

    who = np.flatnonzero(np.isfinite(first))
    at, clock = first[who], origin[who]
    contacted = np.zeros(n)
    taught = np.zeros(n, dtype=bool)
    fresh = np.ones(n, dtype=bool)
    rows: list[tuple[npt.NDArray[np.generic], ...]] = []
    again: list[tuple[Ints, Floats, Floats]] = [(everybody, np.zeros(n), first)]
    spread = setting.basket_spread[1]
    for place in range(MOST_ORDERS):
        price = luck.standard_normal(n)[who]
        coin, markdown, leave = (luck.random(n)[who] for _ in range(3))
        gap = luck.standard_gamma(setting.regularity, n)[who]
        back = luck.random((2, n))[:, who] if setting.goods_back else np.ones((2, len(who)))
        listed = np.round(population.basket[who] * np.exp(spread * price - spread**2 / 2), 2)
        since = at - contacted[who]
        valid = (since >= 0) & (since < code_days[who]) & (depth[who] > 0)
        if setting.code_once:
            valid &= fresh[who]
        fresh[who] = False
        with_code = valid & (coin < redeems[who])
        if not place:
            taught[who] = with_code
        learnt = taught[who].astype(int)
        share = _pick(population, who, learnt, base, instead, "markdown")
        cut = _pick(population, who, learnt, base, instead, "markdown_depth")
        marked = ~with_code & (markdown < share)
        discount = np.round(listed * np.where(with_code, depth[who], np.where(marked, cut, 0.0)), 2)
        goes = np.where(back[0] < setting.goods_back, _seconds(at + 3 + 11 * back[1]), np.inf)
        rows.append((who, at, np.full(len(who), place), listed, discount, with_code, goes))

        pace = population.rate[who] * _pick(population, who, learnt, base, instead, "rate")
        clock = clock + gap / (setting.regularity * pace)
        stays = leave >= np.where(learnt, leaves[1][who], leaves[0][who])
        following = np.where(stays, time.days(who, clock), np.inf)
        if setting.recontact:
            patience, still = luck.standard_exponential(n)[who], luck.random(n)[who] < setting.again
            silent = _seconds(at + lapses[who])
            lapsed = (following > silent) & (silent < setting.horizon_days)
            returns = ~stays & lapsed & still & comes[who]
            hands = time.hands(who, np.where(returns, silent, 0.0)) + patience * mean_days[who] * pulled[who]
            clock = np.where(returns, hands, clock)
            following = np.where(returns, time.days(who, clock), following)
            contacted[who[lapsed]] = silent[lapsed]
            fresh[who[lapsed]] = True
            again.append((who[lapsed], silent[lapsed], following[lapsed]))
        keep = following < setting.horizon_days
        who, at, clock = who[keep], following[keep], clock[keep]
        if not len(who):
            break
    columns = [np.concatenate(column) for column in zip(*rows)]
    message_who, message_at = _messages(setting, arm, again)
    return Orders(
        who=columns[0].astype(np.int64),
        at=columns[1],
        place=columns[2].astype(np.int64),
        list_price=columns[3],
        discount=columns[4],
        with_code=columns[5].astype(bool),
        back_at=columns[6],
        returned_at=first,
        message_who=message_who,
        message_at=message_at,
        message_arm=arm[message_who],
        again_who=np.concatenate([entry[0] for entry in again[1:]] or [np.zeros(0, dtype=np.int64)]),
        again_at=np.concatenate([entry[1] for entry in again[1:]] or [np.zeros(0)]),
    )


def _seconds(days: Floats) -> Floats:
    """Cut to whole seconds, so that files hold exactly what the arrays hold."""
    return np.floor(days * SECONDS) / SECONDS


def _leaving(population: Population, luck: np.random.Generator, later: list[Later]) -> Floats:
    a, b = (np.array([entry.drop[side] for entry in later])[population.kind] for side in (0, 1))
    return luck.beta(a, b)


def _pick(
    population: Population, who: Ints, learnt: Ints, base: list[Later], instead: list[Later], name: str
) -> Floats:
    table = np.array([[getattr(entry, name) for entry in both] for both in (base, instead)], dtype=np.float64)
    return table[learnt, population.kind[who]]


def _messages(
    setting: Setting, arm: Ints, contacts: list[tuple[Ints, Floats, Floats]]
) -> tuple[Ints, Floats]:
    """Messages on the arm's days after each contact, until he orders; none beyond the horizon."""
    who: list[Ints] = [np.zeros(0, dtype=np.int64)]
    at: list[Floats] = [np.zeros(0)]
    for customers, starts, ends in contacts:
        for number, entry in enumerate(setting.arms):
            for day in entry.messages:
                sent = _seconds(starts + day)
                due = (arm[customers] == number) & (ends > sent) & (sent < setting.horizon_days)
                who.append(customers[due])
                at.append(sent[due])
    return np.concatenate(who), np.concatenate(at)
