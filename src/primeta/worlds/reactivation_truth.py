"""What every rung should say of a setting: expected values, from the model itself and not from a draw.

With gaps Erlang-k at a rate λ ~ Gamma(r, α) and leaving after each order with p ~ Beta(a, b), the expected later
orders within u days of a return are M(u) = Σ_j E[(1 − p)^j] P(jth gap sum ≤ u), with E[(1 − p)^j] =
B(a, b + j) / B(a, b) and P(…) = I_{ku/(ku + α)}(jk, r), the regularised incomplete beta function. The time of the
return is summed over small cells. All else is products, since baskets, redemption and markdowns are independent
of the times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln

from primeta.worlds.reactivation_orders import Floats, Orders, Population, draw_population, orders_of
from primeta.worlds.reactivation_types import Arm, CustomerType, Later, Setting, comes_back, pull

DRAWN = 2_000_000
"""Customers of an arm behind a truth that is drawn."""
CELLS = 8
"""Cells of a day in which the time of the return is summed."""
TAIL = 1e-10
MOST_LATER = 3_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Expected sums per assigned customer by the end of each day 0 … horizon; index d: elapsed < d days."""

    orders: Floats
    first: Floats
    list_price: Floats
    discount: Floats
    code_discount: Floats
    contact: Floats
    margin: float

    @property
    def revenue(self) -> Floats:
        return self.list_price - self.discount

    @property
    def money(self) -> Floats:
        return self.margin * self.list_price - self.discount

    @property
    def value(self) -> Floats:
        return self.money - self.contact

    def present(self, annual_discount: float = 0.0) -> Floats:
        """Value discounted to the assignment."""
        steps = np.diff(self.value, prepend=0.0)
        worth = (1 + annual_discount) ** (-np.maximum(np.arange(len(steps)) - 0.5, 0.0) / 365)
        return np.cumsum(steps * worth)


FIELDS = ("orders", "first", "list_price", "discount", "code_discount", "contact")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmTruth:
    """One arm."""

    arm: str
    flow: Flow
    self_share: float
    induced_share: float
    """Net, within the window."""
    needless_per_assigned: float
    """Code discounts within the window of those who would have returned within it under control."""
    error: Floats | None = None
    """Where it was drawn: standard error, by day, of the value less the control's."""
    needless_error: float = 0.0
    share_error: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Every arm of a setting."""

    setting: Setting
    arms: Mapping[str, ArmTruth]
    exact: bool
    """Summed from the model; else averaged over a large draw, with its error."""

    def value(self, arm: str, *, days: int, annual_discount: float = 0.0) -> float:
        """Expected value per assigned within so many days, less the control's."""
        own, control = (self.arms[name].flow for name in (arm, self.setting.control))
        if annual_discount:
            return float(own.present(annual_discount)[days] - control.present(annual_discount)[days])
        return float(own.value[days] - control.value[days])

    def best(self, *, days: int) -> str:
        """The arm with the highest expected value."""
        return max(self.arms, key=lambda name: float(self.arms[name].flow.value[days]))


def is_exact(setting: Setting) -> bool:
    """Whether the truth can be summed: no season, and nobody is contacted again."""
    return not (setting.season or setting.recontact)


@lru_cache(maxsize=32)
def truth_of(setting: Setting, *, customers: int = DRAWN) -> Truth:
    """What every rung should say: exact where the setting allows it, else averaged over so many customers an arm."""
    return exact_truth(setting) if is_exact(setting) else drawn_truth(setting, customers=customers, seed=0)


@lru_cache(maxsize=64)
def exact_truth(setting: Setting) -> Truth:
    """Summed from the model; for settings without a season and without repeated contacts."""
    flows = {
        arm.name: [_flow(setting, kind, arm, before=np.inf) for kind in setting.types] for arm in setting.arms
    }
    control = setting.arms[0]
    early = sum(
        kind.share * _cdf(kind, setting.window_days) for kind in setting.types if comes_back(kind, control)
    )
    window = setting.window_days
    arms = {}
    for arm in setting.arms:
        mixed = _mixed(setting, flows[arm.name])
        needless = sum(
            kind.share * float(_flow(setting, kind, arm, before=window).code_discount[window])
            for kind in setting.types
            if comes_back(kind, control)
        )
        arms[arm.name] = ArmTruth(
            arm=arm.name,
            flow=mixed,
            self_share=float(early),
            induced_share=float(mixed.first[window] - early),
            needless_per_assigned=needless,
        )
    return Truth(setting=setting, arms=arms, exact=True)


def _mixed(setting: Setting, flows: list[Flow]) -> Flow:
    shares = [kind.share for kind in setting.types]
    sums = {
        name: np.sum([share * getattr(flow, name) for share, flow in zip(shares, flows)], axis=0)
        for name in FIELDS
    }
    return Flow(**sums, margin=setting.margin)


def _cdf(kind: CustomerType, days: float | Floats) -> Floats:
    return -np.expm1(-np.asarray(days, dtype=np.float64) / kind.mean_days)


def _flow(setting: Setting, kind: CustomerType, arm: Arm, *, before: float) -> Flow:
    """Of one type in one arm, counting only those who under control would return before day `before`."""
    day = np.arange(setting.horizon_days + 1)
    nobody = np.zeros(len(day))
    if not comes_back(kind, arm):
        contact = np.zeros(len(day))
        for sent in arm.messages:
            contact += arm.cost * (day > sent)
        return Flow(
            orders=nobody,
            first=nobody,
            list_price=nobody,
            discount=nobody,
            code_discount=nobody,
            contact=contact,
            margin=setting.margin,
        )
    faster = pull(kind, arm)
    valid = float(arm.code_days) if arm.depth else 0.0
    cells = np.arange(setting.horizon_days * CELLS + 1) / CELLS
    # a cell's customers come back in its middle; the later clock starts where the return would have been
    mass = np.diff(_cdf(kind, np.minimum(cells, before)))
    middle = (cells[:-1] + cells[1:]) / 2
    coded = np.where(middle * faster < valid, kind.redeems, 0.0)

    def returned(until: Floats) -> Floats:
        return _cdf(kind, np.minimum(until / faster, before))

    first = returned(day.astype(np.float64))
    first_coded = kind.redeems * returned(np.minimum(day, valid).astype(np.float64))

    plain, taught = (
        _after(setting, mass * part, later)
        for part, later in ((1 - coded, kind.later), (coded, kind.after_code or kind.later))
    )
    while_valid = np.minimum(day, int(valid))
    later_code = np.zeros(len(day))
    if not setting.code_once and valid:
        later_code = kind.redeems * (plain + taught)[while_valid]
    price = setting.basket * kind.basket
    after = kind.after_code or kind.later
    share_coded = 0.0 if setting.code_once else kind.redeems
    # later orders outside of the code, by who has learnt; inside its days only those that did not use it
    marked = nobody
    for flow, later in ((plain, kind.later), (taught, after)):
        outside = flow - flow[while_valid] if valid else flow
        inside = flow[while_valid] if valid else nobody
        marked = marked + later.markdown * later.markdown_depth * (outside + (1 - share_coded) * inside)
    marked = marked + kind.later.markdown * kind.later.markdown_depth * (first - first_coded)
    code_discount = price * arm.depth * (first_coded + later_code)
    orders = first + plain + taught
    contact = np.zeros(len(day))
    for sent in arm.messages:
        contact += arm.cost * (1 - _cdf(kind, sent / faster)) * (day > sent)
    kept = _kept(setting)
    return Flow(
        orders=orders,
        first=first,
        list_price=kept(price * orders),
        discount=kept(code_discount + price * marked),
        code_discount=kept(code_discount),
        contact=contact,
        margin=setting.margin,
    )


def _after(setting: Setting, mass: Floats, later: Later) -> Floats:
    """(horizon + 1,) expected later orders by each day, of so much mass coming back in each cell."""
    curve = _later_by_cell(setting.rate, setting.regularity, later, setting.horizon_days)
    by_cell = np.convolve(mass, curve)[: len(mass)]
    return np.concatenate([[0.0], by_cell[CELLS - 1 :: CELLS]])


@lru_cache(maxsize=256)
def _later_by_cell(rate: tuple[float, float], regularity: int, later: Later, horizon_days: int) -> Floats:
    since = (np.arange(horizon_days * CELLS) + 0.5) / CELLS
    return later_orders(since, rate=rate, regularity=regularity, later=later)


def later_orders(days: Floats, *, rate: tuple[float, float], regularity: int, later: Later) -> Floats:
    """Orders to expect within `days` of a return, the return order not counted.

    Args:
        rate: Gamma shape and rate (days) of customers' order rates.
        regularity: Steps of the Erlang gaps.
    Source:
        With exponential gaps: the MBG/NBD of Batislam, Denizel & Filiztekin (2007); as a sum over the number of
        orders here, which holds for Erlang gaps too.
    """
    shape, scale = rate
    a, b = later.drop
    part = regularity * later.rate * days
    part = part / (part + scale)
    total = np.zeros(len(days))
    for place in range(1, MOST_LATER):
        stays = float(np.exp(betaln(a, b + place) - betaln(a, b)))
        add = stays * betainc(place * regularity, shape, part)
        total += add
        if add[-1] < TAIL * total[-1]:
            break
    return total


def _kept(setting: Setting):
    """What stays of a flow of money when goods come back three to fourteen days after the order."""

    def kept(flow: Floats) -> Floats:
        if not setting.goods_back:
            return flow
        day = np.arange(len(flow), dtype=np.float64)
        lags = 3 + 11 * (np.arange(44) + 0.5) / 44
        gone = np.mean([np.interp(day - lag, day, flow, left=0.0) for lag in lags], axis=0)
        return flow - setting.goods_back * gone

    return kept


def drawn_truth(setting: Setting, *, customers: int, seed: int, block: int = 50_000) -> Truth:
    """Averages over a large draw in which every customer meets every arm.

    Args:
        customers: Of each arm, in blocks of `block` with seeds of their own.
    """
    blocks = max(2, -(-customers // block))
    control = setting.arms[0]
    flows: dict[str, list[Flow]] = {arm.name: [] for arm in setting.arms}
    shares: dict[str, list[tuple[float, float, float]]] = {arm.name: [] for arm in setting.arms}
    for number in range(blocks):
        population = draw_population(setting, customers=block, seed=1_000_003 * (seed + 1) + number)
        alone: npt.NDArray[np.bool_] | None = None
        for place, arm in enumerate(setting.arms):
            orders = orders_of(population, np.full(block, place))
            if alone is None:
                alone = orders.returned_at < setting.window_days
            flows[arm.name].append(drawn_flow(population, orders))
            early = orders.at < setting.window_days
            needless = early & orders.with_code & alone[orders.who]
            back = needless & (orders.back_at < setting.window_days)
            shares[arm.name].append(
                (
                    float(alone.mean()),
                    float((orders.returned_at < setting.window_days).mean() - alone.mean()),
                    float(orders.discount[needless].sum() - orders.discount[back].sum()) / block,
                )
            )
    arms = {}
    for arm in setting.arms:
        own = np.array(shares[arm.name])
        error = own.std(axis=0, ddof=1) / np.sqrt(blocks)
        arms[arm.name] = ArmTruth(
            arm=arm.name,
            flow=_average(setting, flows[arm.name]),
            self_share=float(own[:, 0].mean()),
            induced_share=float(own[:, 1].mean()),
            needless_per_assigned=float(own[:, 2].mean()),
            error=_error(flows[arm.name], flows[control.name]),
            needless_error=float(error[2]),
            share_error=float(error[1]),
        )
    return Truth(setting=setting, arms=arms, exact=False)


def _average(setting: Setting, flows: list[Flow]) -> Flow:
    sums = {name: np.mean([getattr(flow, name) for flow in flows], axis=0) for name in FIELDS}
    return Flow(**sums, margin=setting.margin)


def _error(flows: list[Flow], control: list[Flow]) -> Floats:
    """Standard error of the difference of value from the control, by day, between blocks."""
    apart = np.array([own.value - other.value for own, other in zip(flows, control)])
    return apart.std(axis=0, ddof=1) / np.sqrt(len(apart))


def drawn_flow(population: Population, orders: Orders) -> Flow:
    """Average sums per customer of one draw, in whole days since the assignment."""
    setting, n = population.setting, population.n
    days = setting.horizon_days

    def by_day(at: Floats, weight: Floats | None = None) -> Floats:
        inside = at < days
        counted = np.bincount(
            at[inside].astype(int), None if weight is None else weight[inside], minlength=days
        )
        return np.concatenate([[0.0], np.cumsum(counted)]) / n

    def kept(weight: Floats) -> Floats:
        back = np.isfinite(orders.back_at)
        return by_day(orders.at, weight) - by_day(orders.back_at[back], weight[back])

    cost = np.array([arm.cost for arm in setting.arms])
    return Flow(
        orders=by_day(orders.at),
        first=by_day(orders.at[orders.place == 0]),
        list_price=kept(orders.list_price),
        discount=kept(orders.discount),
        code_discount=kept(orders.discount * orders.with_code),
        contact=by_day(orders.message_at, cost[orders.message_arm]),
        margin=setting.margin,
    )
