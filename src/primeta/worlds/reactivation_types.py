"""Kinds of lapsed customers, the arms they are dealt, and the named settings in which the ladder is tried."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from primeta.errors import BadInput

Push = Literal["alone", "reminder", "discount", "never"]
PUSHES: tuple[Push, ...] = ("alone", "reminder", "discount", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """How a customer goes on once he is back."""

    rate: float = 1.0
    """Times his own rate of before."""
    drop: tuple[float, float] = (2.0, 4.0)
    """Beta: his probability of leaving for good after an order, the return order included."""
    markdown: float = 0.2
    """Share of his orders that are at an everyday markdown; others than those with the arm's code."""
    markdown_depth: float = 0.15
    """Of list price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerType:
    """What brings such customers back, how fast, and how they go on."""

    name: str
    share: float
    comes: Push
    """The least push that brings him back; every stronger one does too."""
    mean_days: float = 30.0
    """Of the exponential time to his return; beyond the horizon is possible."""
    pulled: float = 1.0
    """By what the contact multiplies the time of his return. His later orders stay where they were."""
    pulled_by: Push = "reminder"
    """The least push that does."""
    redeems: float = 0.8
    """Share of his orders, while the code is valid, in which he uses it."""
    basket: float = 1.0
    """Times the mean basket."""
    later: Later = Later()
    after_code: Later | None = None
    """How he goes on instead, where he used the code on his return."""
    cause: str = ""
    """Why he left, where a ticket before assignment says so."""
    farm: bool = False
    """New accounts that share phones and addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What an arm does."""

    name: str
    share: float
    messages: tuple[int, ...] = ()
    """Days since the assignment on which a message is sent to who has not returned yet."""
    cost: float = 0.0
    """Of a message."""
    depth: float = 0.0
    """Of the discount by its code."""
    code: str = ""
    code_days: int = 30
    """For so long since the assignment the code is valid."""

    @property
    def push(self) -> Push:
        return "discount" if self.depth else "reminder" if self.messages else "alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A world of lapsed customers and a lottery among them."""

    name: str
    about: str
    types: tuple[CustomerType, ...]
    arms: tuple[Arm, ...]
    """The control first."""
    rate: tuple[float, float] = (1.5, 45.0)
    """Gamma shape and rate (days) of customers' own order rates: before they lapsed and after they return."""
    regularity: int = 1
    """Gaps between orders are Erlang of so many steps; 1: exponential."""
    basket: float = 60.0
    """Mean list price of an order."""
    basket_spread: tuple[float, float] = (0.4, 0.4)
    """Standard deviation of its logarithm: between customers, between orders of one."""
    margin: float = 0.4
    """Of list price."""
    code_once: bool = False
    """The code works on the return order only; else on every one while it is valid."""
    goods_back: float = 0.0
    """Share of orders whose goods come back, three to fourteen days later."""
    season: tuple[float, ...] = ()
    """By what each day of a year multiplies all rates; empty: nothing."""
    recontact: bool = False
    """Who lapses again meets his arm again."""
    again: float = 0.6
    """Share of second lapses from which he can be brought back as from the first."""
    window_days: int = 30
    horizon_days: int = 365
    follow_days: tuple[int, int] = (182, 182)
    """How long the last and the first assigned are followed; assignments are even in between."""
    customers: int = 12_000

    @property
    def control(self) -> str:
        return self.arms[0].name

    def arm(self, name: str) -> Arm:
        for entry in self.arms:
            if entry.name == name:
                return entry
        raise BadInput(
            f"no arm {name!r} in {self.name}; expected one of {', '.join(a.name for a in self.arms)}"
        )


def comes_back(kind: CustomerType, arm: Arm) -> bool:
    """Whether such a customer ever returns in such an arm."""
    return PUSHES.index(kind.comes) <= PUSHES.index(arm.push)


def pull(kind: CustomerType, arm: Arm) -> float:
    """By what the arm multiplies the time of his return."""
    return kind.pulled if PUSHES.index(kind.pulled_by) <= PUSHES.index(arm.push) else 1.0


def _year(swing: float) -> tuple[float, ...]:
    """A wave over 365 days around 1, highest at new year."""
    return tuple(float(1 + swing * np.cos(2 * np.pi * day / 365)) for day in range(365))


CONTROL = Arm(name="control", share=1 / 3)
REMINDER = Arm(name="reminder", share=1 / 3, messages=(0, 5, 12), cost=0.05)
DISCOUNT = Arm(name="discount", share=1 / 3, messages=(0, 5, 12), cost=0.05, depth=0.2, code="BACK20")
ARMS = (CONTROL, REMINDER, DISCOUNT)

_HUNTS = Later(rate=0.7, drop=(3.0, 3.0), markdown=0.4)
_WAITS = Later(rate=0.4, drop=(5.0, 4.0), markdown=0.9, markdown_depth=0.2)
_LEAVES = Later(rate=0.7, drop=(9.0, 1.0))
_GONE = Later(drop=(60.0, 0.5))
_LOYAL = Later(drop=(2.0, 6.0), markdown=0.1)


def _types(*types: CustomerType) -> tuple[CustomerType, ...]:
    """With those who are lost for good as the rest."""
    rest = 1.0 - sum(entry.share for entry in types)
    return (*types, CustomerType(name="lost", share=rest, comes="never"))


_PLAIN = _types(
    CustomerType(name="self", share=0.20, comes="alone"),
    CustomerType(name="reminded", share=0.04, comes="reminder"),
    CustomerType(name="bought", share=0.08, comes="discount", later=_HUNTS),
)
SETTINGS: dict[str, Setting] = {
    entry.name: entry
    for entry in (
        Setting(name="plain", about="the assumptions of every rung hold", types=_PLAIN, arms=ARMS),
        Setting(
            name="aa",
            about="no arm does anything",
            types=_types(CustomerType(name="self", share=0.25, comes="alone")),
            arms=(CONTROL, Arm(name="reminder", share=1 / 3), Arm(name="discount", share=1 / 3)),
        ),
        Setting(
            name="short-winner-loses",
            about="the discount buys many single orders and teaches others to wait; the reminder's customers stay",
            types=_types(
                CustomerType(name="self", share=0.03, comes="alone"),
                CustomerType(name="waits", share=0.18, comes="alone", after_code=_WAITS),
                CustomerType(name="reminded", share=0.045, comes="reminder", later=_LOYAL),
                CustomerType(name="bought", share=0.13, comes="discount", mean_days=15.0, later=_LEAVES),
            ),
            arms=(CONTROL, REMINDER, replace(DISCOUNT, depth=0.15, code="BACK15")),
            margin=0.5,
            customers=30_000,
        ),
        Setting(
            name="short-winner-pulls",
            about="the discount only moves orders forward; the reminder wins some back",
            types=_types(
                CustomerType(name="self", share=0.06, comes="alone"),
                CustomerType(
                    name="pulled",
                    share=0.24,
                    comes="alone",
                    mean_days=90.0,
                    pulled=0.2,
                    pulled_by="discount",
                    later=Later(drop=(3.0, 4.0)),
                ),
                CustomerType(name="reminded", share=0.045, comes="reminder"),
            ),
            arms=ARMS,
            margin=0.5,
            customers=30_000,
        ),
        Setting(
            name="short-winner-teaches",
            about="the discount teaches to wait and the reminder is dear: nothing beats leaving them alone",
            types=_types(
                CustomerType(name="self", share=0.04, comes="alone"),
                CustomerType(name="waits", share=0.20, comes="alone", after_code=_WAITS),
                CustomerType(name="reminded", share=0.01, comes="reminder"),
                CustomerType(name="bought", share=0.12, comes="discount", mean_days=12.0, later=_LEAVES),
            ),
            arms=(
                CONTROL,
                replace(REMINDER, cost=1.3),
                replace(DISCOUNT, cost=0.15, depth=0.15, code="BACK15"),
            ),
            margin=0.5,
            customers=24_000,
        ),
        Setting(
            name="other-basket",
            about="who returns by himself fills a bigger basket and uses the code less",
            types=_types(
                CustomerType(name="self", share=0.20, comes="alone", basket=1.6, redeems=0.35),
                CustomerType(name="reminded", share=0.04, comes="reminder", redeems=0.9),
                CustomerType(name="bought", share=0.08, comes="discount", redeems=0.95, later=_HUNTS),
            ),
            arms=ARMS,
        ),
        Setting(
            name="seasonal",
            about="all rates rise and fall with the year, and customers enter over eight weeks",
            types=_PLAIN,
            arms=ARMS,
            season=_year(0.35),
            follow_days=(126, 182),
        ),
        Setting(
            name="regular",
            about="gaps between orders are regular (Erlang-3)",
            types=_PLAIN,
            arms=ARMS,
            regularity=3,
        ),
        Setting(
            name="heavy-tailed",
            about="few customers and few orders hold much of the money",
            types=_PLAIN,
            arms=ARMS,
            basket_spread=(1.0, 1.1),
        ),
        Setting(
            name="staggered",
            about="customers enter over 32 weeks and are followed for 8 to 40",
            types=_PLAIN,
            arms=ARMS,
            follow_days=(56, 280),
            goods_back=0.06,
        ),
        Setting(
            name="relapse",
            about="who lapses again meets his arm again",
            types=_PLAIN,
            arms=ARMS,
            recontact=True,
            follow_days=(182, 238),
        ),
        Setting(
            name="farms",
            about="one in twelve is an account of a farm that uses the code once",
            types=_types(
                CustomerType(name="self", share=0.18, comes="alone"),
                CustomerType(name="reminded", share=0.04, comes="reminder"),
                CustomerType(name="bought", share=0.06, comes="discount", later=_HUNTS),
                CustomerType(
                    name="farm",
                    share=0.08,
                    comes="discount",
                    mean_days=4.0,
                    redeems=1.0,
                    basket=0.5,
                    later=_GONE,
                    farm=True,
                ),
            ),
            arms=ARMS,
            code_once=True,
        ),
        Setting(
            name="quality",
            about="some left for bad quality: a discount brings them once, and they leave again",
            types=_types(
                CustomerType(name="self", share=0.18, comes="alone"),
                CustomerType(name="reminded", share=0.05, comes="reminder"),
                CustomerType(name="bought", share=0.05, comes="discount", later=_HUNTS),
                CustomerType(
                    name="quality", share=0.08, comes="discount", later=_LEAVES, cause="quality", redeems=0.95
                ),
                CustomerType(name="quality-lost", share=0.12, comes="never", cause="quality"),
            ),
            arms=ARMS,
            goods_back=0.06,
        ),
    )
}
"""Name → setting."""
