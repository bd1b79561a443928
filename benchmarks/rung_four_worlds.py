"""Lapsed customers who do not live by the model of rung 4, to see how far it can be trusted.

Each world draws, for every customer and arm, the day of his return, his own rate, how he leaves, and his money; the
truth is the mean of a large draw of the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from primeta.worlds.reactivation import ReactivationWorld
from primeta.worlds.reactivation_orders import Orders, draw_population
from primeta.worlds.reactivation_types import Arm, CustomerType, Setting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CONTROL, MILD, DEEP = 0, 1, 2
ARMS = tuple(Arm(name=name, share=1 / 3) for name in ("control", "mild", "deep"))
"""Named so that they stand in this order in a follow-up only after its own sorting: control, deep, mild."""


@dataclass(slots=True, kw_only=True)
class Lives:
    """n customers after assignment; days."""

    first: Floats
    """Day of the return; infinite: never."""
    rate: Floats
    """Orders per day at the return."""
    drop: Floats
    """Probability of leaving at each order."""
    life: Floats
    """Days after the return at which he leaves whatever he does."""
    fading: Floats
    """Days in which his rate falls to 1/e; infinite: it stays."""
    money: Floats
    """Margin of his mean order at assignment."""
    drift: Floats
    """By what it changes in a year, as a share."""
    spread: float = 0.5
    """Standard deviation of the logarithm of an order's margin."""


Draw = Callable[[np.random.Generator, Ints], Lives]


def _lives(
    rng: np.random.Generator, arm: Ints, *, own: float, brought: tuple[float, float, float]
) -> tuple[Lives, Ints]:
    """Those who come alone (kind 1), who are brought (2) and the rest (0), with Poisson orders and a beta drop-out."""
    n = len(arm)
    lot = rng.random(n)
    kind = np.where(lot < own, 1, np.where(lot < own + np.array(brought)[arm], 2, 0))
    first = np.where(kind == 1, rng.exponential(45, n), np.where(kind == 2, rng.exponential(15, n), np.inf))
    return Lives(
        first=first,
        rate=rng.gamma(1.5, 1 / 45, n),
        drop=rng.beta(2, 5, n),
        life=np.full(n, np.inf),
        fading=np.full(n, np.inf),
        money=24 * np.exp(0.4 * rng.standard_normal(n)),
        drift=np.zeros(n),
    ), kind


def _own_rate(rng: np.random.Generator, arm: Ints) -> Lives:
    """Who comes alone does so at his own rate, which he keeps: the slow come late."""
    lives, kind = _lives(rng, arm, own=0.4, brought=(0.0, 0.03, 0.08))
    lives.rate = rng.gamma(1.0, 1 / 90, len(arm))
    lives.first = np.where(kind == 1, rng.exponential(1, len(arm)) / lives.rate, lives.first)
    return lives


def _lifetime(rng: np.random.Generator, arm: Ints) -> Lives:
    """Nobody leaves at an order; lives are exponential with rates of their own, short for who was brought."""
    lives, kind = _lives(rng, arm, own=0.2, brought=(0.0, 0.04, 0.1))
    n = len(arm)
    lives.drop = np.zeros(n)
    lives.life = rng.exponential(1, n) / rng.gamma(1.5, np.where(kind == 2, 1 / 60, 1 / 200), n)
    return lives


def _stay(rng: np.random.Generator, arm: Ints) -> Lives:
    """Nobody who has come back ever leaves."""
    lives, _ = _lives(rng, arm, own=0.15, brought=(0.0, 0.03, 0.06))
    lives.drop = np.zeros(len(arm))
    return lives


def _two_kinds(rng: np.random.Generator, arm: Ints) -> Lives:
    """Half are faithful and frequent, half order once or twice; the deep discount brings the second kind."""
    lives, kind = _lives(rng, arm, own=0.2, brought=(0.0, 0.04, 0.12))
    faithful = rng.random(len(arm)) < np.where((kind == 2) & (arm == DEEP), 0.1, 0.5)
    lives.drop = np.where(faithful, 0.02, 0.7)
    lives.rate = np.where(faithful, 1 / 30, 1 / 60) * np.exp(0.2 * rng.standard_normal(len(arm)))
    return lives


def _fading(rng: np.random.Generator, arm: Ints) -> Lives:
    """The discount teaches to wait: from the return on the rate falls, for everybody who met it."""
    lives, _ = _lives(rng, arm, own=0.2, brought=(0.0, 0.04, 0.12))
    lives.fading = np.where(arm == DEEP, 90.0, np.inf)
    return lives


def _drifting(rng: np.random.Generator, arm: Ints) -> Lives:
    """Orders of who met the discount bring less and less."""
    lives, _ = _lives(rng, arm, own=0.2, brought=(0.0, 0.04, 0.1))
    lives.drift = np.where(arm == DEEP, -0.3, 0.0)
    return lives


def _big_spenders(rng: np.random.Generator, arm: Ints) -> Lives:
    """Frequent customers spend more, and a few spend very much."""
    lives, _ = _lives(rng, arm, own=0.2, brought=(0.0, 0.04, 0.1))
    lives.money = lives.money * np.exp(0.7 * rng.standard_normal(len(arm))) * np.sqrt(lives.rate * 30)
    lives.spread = 1.0
    return lives


WORLDS: dict[str, tuple[Draw, tuple[int, int]]] = {
    "own rate": (_own_rate, (252, 252)),
    "own rate, half seen": (_own_rate, (182, 182)),
    "lifetimes": (_lifetime, (252, 252)),
    "nobody leaves": (_stay, (252, 252)),
    "two kinds": (_two_kinds, (252, 252)),
    "two kinds, half seen": (_two_kinds, (182, 182)),
    "fading": (_fading, (252, 252)),
    "fading, half seen": (_fading, (182, 182)),
    "drifting money": (_drifting, (252, 252)),
    "big spenders": (_big_spenders, (252, 252)),
    "lifetimes, staggered": (_lifetime, (100, 300)),
}
"""Name → how customers live, least and most days followed."""


def setting_of(name: str) -> Setting:
    return Setting(
        name=name,
        about=(WORLDS[name][0].__doc__ or "").strip(),
        types=(CustomerType(name="any", share=1.0, comes="never"),),
        arms=ARMS,
        margin=1.0,
        follow_days=WORLDS[name][1],
        customers=24_000,
    )


def world_of(name: str, *, seed: int, customers: int = 24_000) -> ReactivationWorld:
    setting = setting_of(name)
    population = draw_population(setting, customers=customers, seed=seed)
    arm = population.dealt()
    rng = np.random.default_rng((seed, 77))
    lives = WORLDS[name][0](rng, arm)
    return ReactivationWorld(
        setting=setting,
        seed=seed,
        population=population,
        arm=arm,
        orders=_orders(rng, lives, setting.horizon_days),
    )


def _orders(rng: np.random.Generator, lives: Lives, horizon: int) -> Orders:
    n = len(lives.first)
    who = np.flatnonzero(lives.first < horizon)
    since = np.zeros(len(who))
    rows = []
    for place in range(1_000):
        at = lives.first[who] + since
        money = lives.money[who] * (1 + lives.drift[who] * at / 365)
        money = money * np.exp(lives.spread * rng.standard_normal(len(who)) - lives.spread**2 / 2)
        rows.append((who, at, np.full(len(who), place), money))
        wait = rng.exponential(1, len(who)) / lives.rate[who]
        fading = lives.fading[who]
        with np.errstate(invalid="ignore", divide="ignore"):
            faded = -fading * np.log(np.maximum(np.exp(-since / fading) - wait / fading, 0.0))
        since = np.where(np.isfinite(fading), faded, since + wait)
        stays = rng.random(len(who)) >= lives.drop[who]
        keep = stays & (since < lives.life[who]) & (lives.first[who] + since < horizon)
        who, since = who[keep], since[keep]
        if not len(who):
            break
    who, at, place, money = (np.concatenate(column) for column in zip(*rows, strict=True))
    none, nobody = np.zeros(len(at)), np.zeros(0, dtype=np.int64)
    return (
        Orders(
            who=who.astype(np.int64),
            at=at,
            place=place.astype(np.int64),
            list_price=money,
            discount=none,
            with_code=np.zeros(len(at), dtype=bool),
            back_at=np.full(len(at), np.inf),
            returned_at=np.where(lives.first < horizon, lives.first, np.inf),
            message_who=nobody,
            message_at=np.zeros(0),
            message_arm=nobody,
            again_who=nobody,
            again_at=np.zeros(0),
        )
        if n
        else None
    )  # pyright: ignore[reportReturnType]


@lru_cache(maxsize=32)
def truth_of(name: str, draws: int = 20) -> dict[str, float]:
    """Arm → expected money per assigned to the horizon less the control's, from `draws` × 100,000 customers an arm."""
    rng = np.random.default_rng(2026)
    totals = {arm.name: 0.0 for arm in ARMS}
    for _ in range(draws):
        for place, arm in enumerate(ARMS):
            lives = WORLDS[name][0](rng, np.full(100_000, place))
            totals[arm.name] += float(_orders(rng, lives, 365).list_price.sum()) / 100_000 / draws
    return {name: value - totals["control"] for name, value in totals.items()}
