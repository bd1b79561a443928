"""Kinds of lapsed customers, the arms they are dealt, and the named settings in which the ladder is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
    """The code works on one order only; else on every one while it is valid."""
    goods_back: float = 0.0
    """Share of orders whose goods come back, three to fourteen days later."""
    season: tuple[float, ...] = ()
    """By what each day of a year multiplies all rates; empty: nothing."""
    recontact: bool = False
    """Who lapses again meets his arm again."""
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


CONTROL = Arm(name="control", share=1 / 3)
REMINDER = Arm(name="reminder", share=1 / 3, messages=(0, 5, 12), cost=0.05)
DISCOUNT = Arm(name="discount", share=1 / 3, messages=(0, 5, 12), cost=0.05, depth=0.2, code="BACK20")
ARMS = (CONTROL, REMINDER, DISCOUNT)

_HUNTS = Later(rate=0.7, drop=(3.0, 3.0), markdown=0.4)
_WAITS = Later(rate=0.6, markdown=1.0, markdown_depth=0.2)
_LEAVES = Later(rate=0.7, drop=(9.0, 1.0))


def _setting(name: str, about: str, types: Mapping[str, CustomerType], **more: object) -> Setting:
    rest = 1.0 - sum(entry.share for entry in types.values())
    lost = CustomerType(name="lost", share=rest, comes="never")
    return Setting(name=name, about=about, types=(*types.values(), lost), arms=more.pop("arms", ARMS), **more)  # pyright: ignore


def _types(*types: CustomerType) -> dict[str, CustomerType]:
    return {entry.name: entry for entry in types}


_PLAIN = _types(
    CustomerType(name="self", share=0.20, comes="alone"),
    CustomerType(name="reminded", share=0.04, comes="reminder"),
    CustomerType(name="bought", share=0.08, comes="discount", later=_HUNTS),
)

SETTINGS: dict[str, Setting] = {
    entry.name: entry
    for entry in (
        _setting("plain", "the assumptions of every rung hold", _PLAIN),
        _setting(
            "aa",
            "no arm does anything, and nobody is offered anything",
            _types(CustomerType(name="self", share=0.25, comes="alone")),
            arms=(
                CONTROL,
                Arm(name="reminder", share=1 / 3),
                Arm(name="discount", share=1 / 3),
            ),
        ),
    )
}
"""Name → setting."""
